import { randomInt } from 'node:crypto'
import { covers, type Tokens, tokensOf } from '../../nats/index.ts'
import { noResponders, type Packet } from './packet.ts'
import type { Session } from './session.ts'

/** What a connection wants to hear. */
export interface Interest {
  readonly session: Session
  readonly tokens: Tokens
  readonly queue: string | undefined
  readonly deliver: (packet: Packet) => void
}

/** The other end of a connection. */
export interface Peer {
  /** The connection is lost. */
  lost(): void
  /** It is there again; the broker has forgotten everything. */
  back(): void
}

/**
 * The server's half. What clients send is looked at in the order in which it was sent, in a later turn of the event loop, as
 * bytes from a socket would be: nothing is ever delivered within `publish`.
 */
export class Broker {
  readonly #peers = new Set<Peer>()
  readonly #interests = new Set<Interest>()
  #arrived: (() => void)[] = []
  /** Of the turn in progress. */
  #handled: (() => void)[] = []
  #up = true

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

  /** What a client sends. Lost while the broker is down. */
  send(work: () => void): void {
    if (this.#up && this.#arrived.push(work) === 1) setImmediate(() => this.#turn())
  }

  subscribe(interest: Interest): void {
    this.#interests.add(interest)
  }

  unsubscribe(interest: Interest): void {
    this.#interests.delete(interest)
  }

  /** Gives a message to every subscription, and to one random member of every queue group. */
  route(from: Session, packet: Packet): void {
    const tokens = tokensOf(packet.subject)
    const taking: Interest[] = []
    const groups = new Map<string, Interest[]>()
    for (const interest of this.#interests) {
      if (!covers(interest.tokens, tokens)) continue
      const members = interest.queue === undefined ? taking : (groups.get(interest.queue) ?? [])
      members.push(interest)
      if (interest.queue !== undefined) groups.set(interest.queue, members)
    }
    for (const members of groups.values()) taking.push(...members.splice(randomInt(members.length), 1))
    for (const interest of taking) {
      interest.session.asked(packet.reply)
      interest.deliver(packet)
    }
    if (taking.length === 0 && packet.reply !== '') this.#tellNobody(from, packet.reply)
  }

  /** As a server that is killed: what is under way is lost. */
  stop(): void {
    if (!this.#up) return
    this.#up = false
    this.#arrived = []
    this.#handled.length = 0
    this.#interests.clear()
    for (const peer of [...this.#peers]) peer.lost()
  }

  start(): void {
    if (this.#up) return
    this.#up = true
    for (const peer of [...this.#peers]) peer.back()
  }

  #turn(): void {
    this.#handled = this.#arrived
    this.#arrived = []
    for (const work of this.#handled) work()
  }

  /** Only to who asked, as a server does. */
  #tellNobody(from: Session, reply: string): void {
    const tokens = tokensOf(reply)
    for (const { session, queue, tokens: pattern, deliver } of this.#interests) {
      if (session !== from || queue !== undefined || !covers(pattern, tokens)) continue
      deliver(noResponders(reply))
      return
    }
  }
}
