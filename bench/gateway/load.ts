import { connect } from 'node:net'
import { HttpConnection, requestBytes } from '../http-client.ts'
import type { Meter } from '../meter.ts'
import { type Door, POST_BODY, POST_BYTES, receipt, SIZE_FIELD, SMALL_ANSWER } from './traffic.ts'

/** `slow` is `get` beside slow clients and idle connections. */
export const LOADS = ['get', 'post', 'slow'] as const
export type LoadName = (typeof LOADS)[number]

/** Clients that send the next request as soon as they have their answer. */
export const CONNECTIONS = 64
const SLOW_SENDERS = 48
/** Fewer, because each first receives megabytes until all buffers on the way are full. */
const SLOW_READERS = 16
const IDLE_CONNECTIONS = 1000
/** How many of the idle ones are opened at a time. */
const AT_A_TIME = 50

const STEP_MS = 250
const STEP_BYTES = 64
/** More than all buffers on the way hold (a few MB for each of two connections), so that the proxy has to wait for the reader. */
const LARGE_BYTES = 8 * 1024 * 1024

type Requests = { readonly requests: readonly Buffer[]; readonly expected: string }

/** The clients of one proxy. */
export class Load {
  readonly #meter: Meter
  readonly #ends: (() => void)[] = []
  #error: Error | undefined

  constructor(meter: Meter) {
    this.#meter = meter
  }

  async start({ door, load }: { readonly door: Door; readonly load: LoadName }): Promise<void> {
    const { port, headers, paths, postPath } = door
    const post = requestBytes('POST', postPath, headers, POST_BODY)
    const get = { requests: paths.map(path => requestBytes('GET', path, headers)), expected: SMALL_ANSWER }
    if (load === 'slow') {
      for (let opened = 0; opened < IDLE_CONNECTIONS; opened += AT_A_TIME)
        await Promise.all(Array.from({ length: AT_A_TIME }, () => this.#openIdle(port, get)))
      const large = requestBytes('GET', paths[0] ?? '/', { ...headers, [SIZE_FIELD]: String(LARGE_BYTES) })
      for (let i = 0; i < SLOW_SENDERS; i++) this.#ends.push(sendSlowly(port, post, this.#fail))
      for (let i = 0; i < SLOW_READERS; i++) this.#ends.push(readSlowly(port, large, this.#fail))
    }
    const traffic = load === 'post' ? { requests: [post], expected: receipt(POST_BYTES) } : get
    const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => this.#open(port)))
    for (const [i, connection] of connections.entries()) this.#repeat(connection, traffic, i)
  }

  /** @throws the first error, if there was one */
  stop(): void {
    for (const end of this.#ends.splice(0)) end()
    const error = this.#error
    this.#error = undefined
    if (error) throw error
  }

  /** @param first index of the first request, so that not all clients begin with the same */
  #repeat(connection: HttpConnection, { requests, expected }: Requests, first: number): void {
    let next = first
    const send = () => {
      const began = performance.now()
      connection.send(requests[next++ % requests.length] ?? '', body => {
        if (body !== expected) return this.#fail(new Error(`a wrong answer through the proxy: ${body.slice(0, 500)}`))
        this.#meter.record(began)
        send()
      })
    }
    send()
  }

  async #openIdle(port: number, { requests }: Requests): Promise<void> {
    const connection = await this.#open(port)
    await new Promise<string>(resolve => connection.send(requests[0] ?? '', resolve))
    connection.idle()
  }

  async #open(port: number): Promise<HttpConnection> {
    const connection = await HttpConnection.open(port, this.#fail)
    this.#ends.push(() => connection.close())
    return connection
  }

  readonly #fail = (error: Error): void => {
    this.#error ??= error
  }
}

type Fail = (error: Error) => void

/** Sends a `POST` of `POST_BYTES` in drips, again and again. Returns a function that ends it. */
function sendSlowly(port: number, request: Buffer, fail: Fail): () => void {
  const head = request.length - POST_BYTES
  let sent = 0
  const { socket, end } = slowClient(port, fail, () => {
    const until = sent === 0 ? head : Math.min(request.length, sent + STEP_BYTES)
    if (sent < until) socket.write(request.subarray(sent, until))
    sent = until
  })
  socket.on('data', chunk => {
    if (sent < request.length || !isOk(chunk)) fail(wrong(chunk))
    sent = 0
  })
  return end
}

/** Reads a piece of a large answer now and then. Returns a function that ends it. */
function readSlowly(port: number, request: Buffer, fail: Fail): () => void {
  let received = 0
  const { socket, end } = slowClient(port, fail, () => socket.resume())
  const ask = () => {
    received = 0
    socket.write(request)
  }
  socket.on('data', chunk => {
    if (received === 0 && !isOk(chunk)) fail(wrong(chunk))
    received += chunk.length
    socket.pause()
    if (received > LARGE_BYTES) ask()
  })
  socket.on('connect', ask)
  return end
}

function slowClient(port: number, fail: Fail, step: () => void) {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  const timer = setInterval(step, STEP_MS)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the proxy closed the connection of a slow client')))
  const end = () => {
    clearInterval(timer)
    socket.removeAllListeners('close').destroy()
  }
  return { socket, end }
}

const isOk = (chunk: Buffer) => chunk.toString('latin1', 0, 12) === 'HTTP/1.1 200'
const wrong = (chunk: Buffer) => new Error(`a wrong answer to a slow client: ${chunk.toString('latin1', 0, 200)}`)
