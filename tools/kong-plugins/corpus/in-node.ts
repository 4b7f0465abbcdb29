import { once } from 'node:events'
import { type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type Gateway, GatewayConfigError, startGateway } from '@tsmicro/gateway'
import { gatewaySignature } from 'tsmicro/internal'
import { serve } from '../serve.ts'
import {
  answerOf,
  type Case,
  type Outcome,
  type Played,
  reportedFields,
  type Step,
  type VerifierAnswer,
} from './case.ts'

/** How far the gateway's clock is ahead of the real one, in milliseconds. */
export interface Clock {
  ahead: number
}

/** Plays cases against a real service and real verifiers, with a new gateway for each. */
export class NodePlayer implements AsyncDisposable {
  readonly #resources = new AsyncDisposableStack()
  readonly #clock: Clock
  readonly #verifiers = new Map<string, string>()
  #service = ''
  #seen: IncomingMessage | undefined
  #asked: string[] = []
  #answers: Readonly<Record<string, VerifierAnswer>> = {}

  private constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `clock` must be the one that `performance.now` of this process uses. */
  static async start(clock: Clock, verifiers: readonly string[]): Promise<NodePlayer> {
    const player = new NodePlayer(clock)
    player.#service = await player.#serve((req, res) => {
      player.#seen = req
      res.end()
    })
    for (const name of verifiers)
      player.#verifiers.set(name, await player.#serve((req, res) => player.#verify(name, req, res)))
    return player
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }

  async play({ plugin, config, steps = [] }: Case): Promise<Played> {
    const resolve = Object.fromEntries([...this.#verifiers].map(([name, authority]) => [`${name}:1`, authority]))
    const service = {
      name: 'service',
      url: `http://${this.#service}`,
      routes: [{ paths: ['/'], strip_path: false }],
      plugins: [{ name: plugin, config }],
    }
    let gateway: Gateway
    try {
      gateway = await startGateway({
        config: { _format_version: '3.0', services: [service] },
        port: 0,
        resolve,
        env: {},
      })
    } catch (error) {
      if (error instanceof GatewayConfigError) return 'refused'
      throw error
    }
    const outcomes: Outcome[] = []
    try {
      for (const step of steps) outcomes.push(await this.#step(gateway.port, step, String(config.secret)))
    } finally {
      await gateway.close()
    }
    return outcomes
  }

  async #step(port: number, step: Step, secret: string): Promise<Outcome> {
    const { method = 'GET', target = '/', headers = [] } = step.request
    this.#clock.ahead += (step.after ?? 0) * 1000
    this.#seen = undefined
    this.#asked = []
    this.#answers = step.verifiers ?? {}
    const fields = ['host', 'a', ...headers.flat()]
    const sent = request({ host: '127.0.0.1', port, method, path: target, headers: fields, agent: false })
    const [answer] = (await once(sent.end(), 'response')) as [IncomingMessage]
    const body = await text(answer)
    if (this.#seen === undefined)
      return { answer: answerOf(answer.statusCode ?? 0, JSON.parse(body)), asked: this.#asked }
    return { upstream: upstreamOf(this.#seen, step, secret), asked: this.#asked }
  }

  async #verify(name: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { key } = JSON.parse(await text(req)) as { key: string }
    const secret = req.headers['x-verify-secret']
    this.#asked.push([name, key, ...(secret === undefined ? [] : [secret])].join(' '))
    const answer = this.#answers[name] ?? 'closes'
    if (answer === 'closes') req.destroy()
    else if (answer !== 'hangs') res.writeHead(answer.status).end(answer.body)
  }

  async #serve(listener: RequestListener): Promise<string> {
    return this.#resources.use(await serve(listener)).authority
  }
}

function upstreamOf({ url = '', method = '', headers }: IncomingMessage, step: Step, secret: string) {
  const reported: Record<string, string> = {}
  for (const name of reportedFields(step)) {
    const value = headers[name]
    if (value !== undefined) reported[name] = String(value)
  }
  const signature = reported['x-gateway-signature']
  if (signature !== undefined) {
    const seconds = Number(signature.split('.')[1])
    reported['x-gateway-signature'] =
      signature === gatewaySignature(secret, { method, url, headers }, seconds) ? 'good' : 'bad'
  }
  return { url, headers: reported }
}
