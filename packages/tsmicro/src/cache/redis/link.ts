import { createHash } from 'node:crypto'
import { type CacheLog, StateLog } from '../replicas/log.ts'
import { pause, within } from '../replicas/wait.ts'

/** Of `@redis/client`, which is loaded when a store asks for Redis: others need not have it. */
type Client = Awaited<ReturnType<typeof open>>

const COMMAND_MS = 250
const REST_MS = 1000
/** A connection on which not even a PING was answered for so long is given up for a new one. */
const HANGING_MS = 5000

/** What it says of whoever it does not know, or does not permit what is done here. */
const REFUSED = /^(?:WRONGPASS|NOAUTH|NOPERM) /

/**
 * A connection to Redis on which nothing waits long. A command that failed or took more than 250 ms rests the connection
 * for a second and until a PING is answered: a server that hangs slows a few requests and not all. Nothing queues
 * while there is no connection.
 */
export class RedisLink {
  readonly #url: string
  readonly #log: StateLog
  readonly #closing = new AbortController()
  #client: Client | undefined
  #usable = false
  #resting: Promise<void> | undefined

  constructor(url: string, log: CacheLog | undefined) {
    this.#url = url
    this.#log = new StateLog(log)
  }

  /** @throws {Error} when the package is not installed. The server need not be there. */
  async connect(): Promise<void> {
    if (this.#client) return
    this.#client = await this.#open()
    this.#rest(0)
  }

  close(): void {
    this.#closing.abort()
    this.#usable = false
    if (this.#client?.isOpen) this.#client.destroy()
  }

  /** Runs a script. @returns undefined when it cannot be run now, or failed: it may have been done, now or later */
  async run(script: string, keys: string[], args: string[]): Promise<readonly unknown[] | undefined> {
    const client = this.#client
    if (!client || !this.#usable) return undefined
    try {
      const reply = await within(COMMAND_MS, 'Redis', evaluate(client, script, keys, args))
      if (Array.isArray(reply)) return reply
      throw new Error('Redis answered something else than the script gives')
    } catch (error) {
      this.#fail(error)
      return undefined
    }
  }

  #fail(error: unknown): void {
    if (this.#closing.signal.aborted) return
    this.#tell(error)
    this.#rest(REST_MS)
  }

  #tell(error: unknown): void {
    const refused = error instanceof Error && REFUSED.test(error.message)
    const why = refused ? new Error('see user and password in its URL', { cause: error }) : error
    this.#log.bad('Redis cannot be used, the cache goes on without', why)
  }

  #rest(ms: number): void {
    this.#usable = false
    this.#resting ??= this.#wait(ms, this.#closing.signal).finally(() => {
      this.#resting = undefined
    })
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    await pause(ms, signal)
    while (!signal.aborted) {
      try {
        if (this.#client?.isReady) {
          await within(HANGING_MS, 'Redis', this.#client.ping())
          if (signal.aborted) return
          this.#usable = true
          this.#log.good('Redis is used by the cache')
          return
        }
      } catch (error) {
        this.#tell(error)
        await this.#reopen(signal).catch(() => undefined)
      }
      await pause(REST_MS / 10, signal)
    }
  }

  async #reopen(signal: AbortSignal): Promise<void> {
    if (this.#client?.isReady === false || signal.aborted) return
    if (this.#client?.isOpen) this.#client.destroy()
    this.#client = await this.#open()
  }

  async #open(): Promise<Client> {
    const client = await open(this.#url)
    client.on('error', error => this.#fail(error))
    // Tries on by itself, and rejects when it is closed before it succeeded.
    client.connect().catch(() => undefined)
    return client
  }
}

async function open(url: string) {
  const { createClient } = await load()
  return createClient({
    url,
    disableOfflineQueue: true,
    socket: { connectTimeout: REST_MS, reconnectStrategy: retries => Math.min(REST_MS, 50 * 2 ** retries) },
  })
}

async function load() {
  try {
    return await import('@redis/client')
  } catch (cause) {
    throw new Error('a cache store with redis needs the package @redis/client: npm install @redis/client', { cause })
  }
}

const hashes = new Map<string, string>()

async function evaluate(client: Client, script: string, keys: string[], args: string[]): Promise<unknown> {
  const hash = hashes.get(script) ?? createHash('sha1').update(script).digest('hex')
  hashes.set(script, hash)
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await client.sendCommand(['EVALSHA', hash, ...rest])
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return client.sendCommand(['EVAL', script, ...rest])
  }
}
