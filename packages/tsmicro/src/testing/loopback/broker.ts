import { randomInt } from 'node:crypto'
import type { NatsPermissions } from '../../contract/index.ts'
import { covers, type Tokens, tokensOf } from '../../nats/index.ts'
import { JetStreamServer } from './jetstream/server.ts'
import { noResponders, type Packet } from './message.ts'

/** A subscription as the broker sees it. */
export interface Interest {
  readonly session: Session
  readonly tokens: Tokens
  readonly queue: string | undefined
  readonly deliver: (packet: Packet) => void
}

/** The other end of a connection. */
export interface Peer {
  /** Called when the connection is lost. */
  lost(): void
  /** Called when it is back; the broker has forgotten everything. */
  back(): void
}

/**
 * The server's half. Handles what clients send in the order in which it was sent and in a later turn of the event loop, like bytes
 * from a socket: nothing is ever delivered within `publish`.
 */
export class Broker {
  readonly #peers = new Set<Peer>()
  readonly #interests = new Set<Interest>()
  #arrived: (() => void)[] = []
  /** Of the current turn. */
  #handled: (() => void)[] = []
  readonly #jetStream: JetStreamServer
  #up = true

  constructor() {
    this.#jetStream = new JetStreamServer({
      hears: subject => this.#takersOf(subject).length > 0,
      deliver: (to, packet) => void this.#deliver(to, packet),
      later: work => this.send(work),
    })
  }

  get up(): boolean {
    return this.#up
  }

  join(peer: Peer): void {
    this.#peers.add(peer)
  }

  leave(peer: Peer, session: Session): void {
    this.#peers.delete(peer)
    this.send(() => {
      for (const interest of this.#interests) if (interest.session === session) this.#interests.delete(interest)
    })
  }

  /** Takes what a client sends. Lost while the broker is down. */
  send(work: () => void): void {
    if (this.#up && this.#arrived.push(work) === 1) setImmediate(() => this.#turn())
  }

  subscribe(interest: Interest): void {
    this.#interests.add(interest)
  }

  unsubscribe(interest: Interest): void {
    this.#interests.delete(interest)
  }

  /** Delivers a message to every subscription, and to one random member of every queue group; then JetStream has it. */
  route(from: Session, packet: Packet): void {
    const { subject, reply } = packet
    const delivered = this.#deliver(subject, packet)
    const taken = this.#jetStream.take(packet)
    if (!delivered && !taken && reply !== '') this.#answerNoResponders(from, reply)
  }

  /** Like a server that is killed: everything under way is lost. */
  stop(): void {
    if (!this.#up) return
    this.#up = false
    this.#arrived = []
    this.#handled.length = 0
    this.#interests.clear()
    this.#jetStream.lost()
    for (const peer of [...this.#peers]) peer.lost()
  }

  start(): void {
    if (this.#up) return
    this.#up = true
    this.#jetStream.back()
    for (const peer of [...this.#peers]) peer.back()
  }

  /** Returns whether anybody listens there. */
  #deliver(to: string, packet: Packet): boolean {
    const takers = this.#takersOf(to)
    for (const interest of takers) {
      interest.session.allowReply(packet.reply)
      interest.deliver(packet)
    }
    return takers.length > 0
  }

  #takersOf(subject: string): readonly Interest[] {
    const tokens = tokensOf(subject)
    const takers: Interest[] = []
    const groups = new Map<string, Interest[]>()
    for (const interest of this.#interests) {
      if (!covers(interest.tokens, tokens)) continue
      const members = interest.queue === undefined ? takers : (groups.get(interest.queue) ?? [])
      members.push(interest)
      if (interest.queue !== undefined) groups.set(interest.queue, members)
    }
    for (const members of groups.values()) takers.push(...members.splice(randomInt(members.length), 1))
    return takers
  }

  #turn(): void {
    this.#handled = this.#arrived
    this.#arrived = []
    for (const work of this.#handled) work()
  }

  /** Only the connection that asked gets this answer, as from a server. */
  #answerNoResponders(from: Session, reply: string): void {
    const tokens = tokensOf(reply)
    for (const { session, queue, tokens: pattern, deliver } of this.#interests) {
      if (session !== from || queue !== undefined || !covers(pattern, tokens)) continue
      deliver(noResponders(reply))
      return
    }
  }
}

/** One connection as the broker sees it, with the permissions of its user. */
export class Session {
  readonly #publish: readonly Tokens[] | undefined
  readonly #subscribe: readonly Tokens[] | undefined
  readonly #permissions: NatsPermissions | undefined
  /** Reply subjects of received messages → how many answers are allowed, and until when; the oldest first. */
  readonly #replies = new Map<string, { left: number; readonly until: number }>()

  /** @param permissions undefined = everything */
  constructor(permissions: NatsPermissions | undefined) {
    this.#permissions = permissions
    this.#publish = permissions?.publish.map(tokensOf)
    this.#subscribe = permissions?.subscribe.map(tokensOf)
  }

  /** What a server reports to a user about their permissions. */
  describe(): string {
    if (!this.#permissions) return '{"data":{}}'
    const { user, publish, subscribe, responses } = this.#permissions
    const replies = responses ? { responses: { max: responses.max, ttl: responses.expiresSeconds * 1e9 } } : {}
    return JSON.stringify({
      data: { user, permissions: { publish: { allow: publish }, subscribe: { allow: subscribe }, ...replies } },
    })
  }

  maySubscribe(subject: string): boolean {
    return allows(this.#subscribe, subject)
  }

  mayPublish(subject: string): boolean {
    return allows(this.#publish, subject) || this.#mayReply(subject)
  }

  /** The receiver of a message may answer it. */
  allowReply(reply: string): void {
    const responses = this.#permissions?.responses
    if (!responses || reply === '') return
    const now = performance.now()
    for (const [known, { until }] of this.#replies) {
      if (until > now) break
      this.#replies.delete(known)
    }
    this.#replies.set(reply, { left: responses.max, until: now + responses.expiresSeconds * 1000 })
  }

  #mayReply(subject: string): boolean {
    const allowed = this.#replies.get(subject)
    if (!allowed || allowed.until <= performance.now()) return false
    allowed.left -= 1
    return allowed.left >= 0
  }
}

function allows(patterns: readonly Tokens[] | undefined, subject: string): boolean {
  if (!patterns) return true
  const tokens = tokensOf(subject)
  return patterns.some(pattern => covers(pattern, tokens))
}
