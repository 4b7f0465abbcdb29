import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isTlsRefusal, tlsAdvice, UnusableError } from '../../errors/index.ts'
import { answerWithin, type CacheLog, StateLog } from '../replicas/servers.ts'
import { readAddress, readFiles } from './address.ts'

/** From `@redis/client`, which is loaded only for stores with Redis: others need not install it. */
type Client = Awaited<ReturnType<typeof open>>

const COMMAND_MS = 250
const REST_MS = 1000
/** A connection that did not answer a PING for this long is replaced. */
const HANGING_MS = 5000

/** The errors for an unknown user, or one without the necessary permissions. */
const REFUSED = /^(?:WRONGPASS|NOAUTH|NOPERM) /

/**
 * A connection to Redis on which nothing waits long. After a command that failed or took more than 250 ms, the connection is
 * not used for a second and until a PING is answered: a server that hangs slows down a few requests, but not all. Commands are
 * not queued while there is no connection.
 */
export class RedisLink {
  readonly #url: string
  readonly #log: StateLog
  readonly #closing = new AbortController()
  #client: Client | undefined
  #usable = false
  #resting: Promise<void> | undefined
  /** The client has to be replaced by one that reads its files again: it would reconnect with those that it has read before. */
  #stale = false

  constructor(url: string, log: CacheLog | undefined) {
    this.#url = url
    this.#log = new StateLog(log)
  }

  /**
   * The server need not be running, and files that the URL names need not be readable yet.
   * @throws {Error} if the package is not installed
   * @throws {UnusableError} for a URL that cannot be used
   */
  async connect(): Promise<void> {
    if (this.#client) return
    readAddress(this.#url)
    await load()
    // Opened like one that replaces another: what is wrong is logged, and tried again.
    this.#stale = true
    this.#rest(0)
  }

  close(): void {
    this.#closing.abort()
    this.#usable = false
    if (this.#client?.isOpen) this.#client.destroy()
  }

  /**
   * Runs a script.
   * @returns undefined if it cannot be run now or failed; a failed one may still have been executed, or will be
   */
  async run(script: string, keys: string[], args: string[]): Promise<readonly unknown[] | undefined> {
    const client = this.#client
    if (!client || !this.#usable) return undefined
    try {
      const reply = await answerWithin(COMMAND_MS, 'Redis', evaluate(client, script, keys, args))
      if (Array.isArray(reply)) return reply
      throw new Error('the answer of Redis is not the result of the script')
    } catch (error) {
      this.#fail(error)
      return undefined
    }
  }

  #fail(error: unknown): void {
    if (this.#closing.signal.aborted) return
    this.#logFailure(error)
    this.#rest(REST_MS)
  }

  #logFailure(error: unknown): void {
    this.#log.bad('Redis cannot be used, the cache goes on without it', unusable(error) ?? error)
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
        if (this.#stale) await this.#reopen(signal)
        if (this.#client?.isReady) {
          await answerWithin(HANGING_MS, 'Redis', this.#client.ping())
          if (signal.aborted) return
          this.#usable = true
          this.#log.good('Redis is used by the cache')
          return
        }
      } catch (error) {
        this.#logFailure(error)
        await this.#reopen(signal).catch(() => undefined)
      }
      await pause(REST_MS / 10, signal)
      if (this.#stale) await pause(REST_MS, signal)
    }
  }

  async #reopen(signal: AbortSignal): Promise<void> {
    if ((this.#client?.isReady === false && !this.#stale) || signal.aborted) return
    const opened = await this.#open()
    this.#stale = false
    if (this.#client?.isOpen) this.#client.destroy()
    this.#client = opened
    if (signal.aborted) opened.destroy()
  }

  async #open(): Promise<Client> {
    const client = await open(this.#url)
    const hasFiles = Object.keys(readAddress(this.#url).files).length > 0
    client.on('error', error => {
      if (client !== this.#client && this.#client !== undefined) return
      this.#stale ||= hasFiles || isTlsRefusal(error)
      this.#fail(error)
    })
    // Keeps trying by itself, and rejects if it is closed before it has succeeded.
    client.connect().catch(() => undefined)
    return client
  }
}

async function open(address: string) {
  const { createClient } = await load()
  const { url, files } = readAddress(address)
  return createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      ...readFiles(files),
      connectTimeout: REST_MS,
      reconnectStrategy: retries => Math.min(REST_MS, 50 * 2 ** retries),
    },
  })
}

/** For what waiting does not mend: an error that says what to do. */
function unusable(error: unknown): UnusableError | undefined {
  if (!(error instanceof Error)) return undefined
  if (REFUSED.test(error.message))
    return new UnusableError(`Redis: ${error.message}: check user and password in its URL`, { cause: error })
  if (!isTlsRefusal(error)) return undefined
  const advice = tlsAdvice(error, { authority: 'cacert', certificate: 'cert', key: 'key' })
  return new UnusableError(`Redis: ${error.message}: ${advice}`, { cause: error })
}

async function load() {
  try {
    return await import('@redis/client')
  } catch (cause) {
    throw new Error('a cache store with redis needs the package @redis/client: npm install @redis/client', { cause })
  }
}

/** Never rejects. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined)
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
