import { Agent } from 'node:http'
import type { BoundProcedure } from 'tsmicro/contract'
import { bearer } from '../access/callers.ts'
import { inParallel } from '../in-parallel.ts'
import { callerOf, type Input } from '../inputs.ts'
import { assertNothingInternal } from '../leaks.ts'
import { patiently } from '../patiently.ts'
import type { Platform } from '../platform.ts'
import { assertEnvelope } from '../refusal.ts'
import type { Scene } from '../scene.ts'
import { type Answer, type Sent, send } from '../send.ts'
import { type Wire, wireOf } from '../wire.ts'

/** Where a request enters: from the public, or from within the network. */
export type Door = 'gateway' | 'service'
export const DOORS: readonly Door[] = ['gateway', 'service']

/** One defect often shows in hundreds of requests. */
const SHOWN = 20

/** A hostile request, and the expected answer. */
export interface Shot {
  readonly procedure: BoundProcedure
  readonly door: Door
  /** For failures of the test. */
  readonly what: string
  readonly wire: Wire
  readonly allowed: readonly number[]
  /** The hostile text, which an answer may repeat. */
  readonly text?: string
}

/** Sends hostile requests as a user who may call the procedure, and judges every answer. */
export class Attack implements Disposable {
  readonly #platform: Platform
  readonly #scene: Scene
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 })
  sent = 0

  constructor(platform: Platform, scene: Scene) {
    this.#platform = platform
    this.#scene = scene
  }

  /** A procedure's request at a door, with the credentials of its caller. */
  wire(procedure: BoundProcedure, door: Door, input: Input, more: Sent = {}): Wire {
    const { route, sent } = wireOf(procedure, input, door === 'gateway' ? `/${procedure.service}` : '')
    const own = bearer(callerOf(procedure, this.#scene).accessToken)
    const key = door === 'gateway' ? { 'x-api-key': this.#platform.apiKey } : {}
    return { route, sent: { ...sent, ...more, headers: { ...own, ...sent.headers, ...key, ...more.headers } } }
  }

  async send({ procedure, door, wire }: Pick<Shot, 'procedure' | 'door' | 'wire'>): Promise<Answer> {
    this.sent += 1
    const { url, authUrl, blogUrl } = this.#platform
    const service = procedure.service === 'auth' ? authUrl : blogUrl
    return send(door === 'gateway' ? url : service, wire.route, { ...wire.sent, agent: this.#agent })
  }

  /** @returns what went wrong, one line each */
  async fire(shots: Iterable<Shot>): Promise<string[]> {
    const problems = await inParallel(shots, 16, async shot => {
      const answer = await patiently(() => this.send(shot)).catch(error => `no answer: ${error.message}`)
      return typeof answer === 'string' ? `${lineOf(shot)} → ${answer}` : this.#judge(shot, answer)
    })
    const found = problems.filter(problem => problem !== '')
    return found.length > SHOWN ? [...found.slice(0, SHOWN), `and ${found.length - SHOWN} more`] : found
  }

  #judge(shot: Shot, answer: Answer): string {
    const { allowed, text } = shot
    const told = `${lineOf(shot)} → ${answer.status} ${answer.text.slice(0, 300)}`
    if (!allowed.includes(answer.status)) return told
    try {
      const echoed = text === undefined ? [] : [text, JSON.stringify(text).slice(1, -1)]
      if (answer.status >= 400 && !isKongs(answer)) assertEnvelope(answer, this.#platform, echoed)
      else assertNothingInternal(answer.text, this.#platform, echoed)
      return ''
    } catch (error) {
      return `${told}\n${error instanceof Error ? error.message : error}`
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

function lineOf({ procedure, door, what, wire }: Shot): string {
  return `${procedure.service}.${procedure.name} at the ${door}, ${what}: ${wire.route.slice(0, 120)}`
}

/** The gateway's own refusals have Kong's form. */
function isKongs({ body, text }: Answer): boolean {
  return Object.keys(body ?? {}).join() === 'message,request_id' || /^[^\n]+\nrequest_id: [0-9a-f]{32}\n$/.test(text)
}
