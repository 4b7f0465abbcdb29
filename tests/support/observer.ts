import { execFile } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { contractsIn, eventsOf } from 'tsmicro/internal'
import { proceduresIn } from './contracts.ts'

/** As a context of the nats CLI has it. */
export interface ObserverLogin {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly inbox_prefix: string
}

interface Described {
  readonly name: string
  readonly endpoints: readonly { readonly subject: string }[]
}

export function connectObserver({ url, user, password, inbox_prefix: inboxPrefix }: ObserverLogin) {
  return connect({ servers: new URL(url).host, user, pass: password, inboxPrefix, reconnect: false })
}

/** The subjects of all procedures with a NATS door. */
export const SUBJECTS = proceduresIn(authContracts, blogContracts)
  .flatMap(({ subject }) => (subject === undefined ? [] : [subject]))
  .sort()

const EVENTS = [authContracts, blogContracts]
  .flatMap(contractsIn)
  .flatMap(eventsOf)
  .map(({ subject }) => subject)

/** What `nats micro ls` asks, with the client library: the endpoints of as many instances as there are. */
export async function endpointsSeen(observer: NatsConnection, instances: number): Promise<readonly string[]> {
  const replies = await observer.requestMany('$SRV.INFO', '', {
    strategy: 'count',
    maxMessages: instances,
    maxWait: 30_000,
  })
  const described: Described[] = []
  for await (const msg of replies) described.push(msg.json())
  return endpointsOf(described)
}

/** The same by the nats CLI itself, which is undefined where it is not installed. */
export async function endpointsListed(command: string): Promise<readonly string[] | undefined> {
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', `${command} --json`], { timeout: 60_000 })
    return endpointsOf(JSON.parse(stdout) as Described[])
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 127) return undefined
    throw error
  }
}

function endpointsOf(described: readonly Described[]): readonly string[] {
  return [...new Set(described.flatMap(({ endpoints }) => endpoints.map(({ subject }) => subject)))].sort()
}

/** What an observer must not do: everything that is worth something here. */
const FORBIDDEN = {
  publish: [
    ...SUBJECTS,
    ...SUBJECTS.map(subject => `${subject}.batch`),
    ...EVENTS,
    ...['_INBOX_blog.forged', '_INBOX.forged', '_TSMICRO.cancel.auth', '_TSMICRO.events.auth', '_TSMICRO.cache.blog.x'],
    ...['$JS.API.STREAM.NAMES', '$JS.API.STREAM.MSG.GET.EVENTS_user', '$SYS.REQ.USER.INFO'],
  ],
  subscribe: [
    ...['>', '*.>', '_INBOX.>', '_INBOX_blog.>', '_INBOX_auth.>', '_INBOX_operator.>', '_INBOX_observer2.>'],
    ...['$SRV.>', 'auth.>', 'blog.>', '_TSMICRO.>', '$JS.>', ...EVENTS],
  ],
}

/** Tries all of it. @returns what the server did not refuse, and how much was tried */
export async function trespass(observer: NatsConnection): Promise<{ allowed: readonly string[]; tried: number }> {
  const label = (operation: string, subject: string) => `${operation} ${subject}`
  const open = new Set([
    ...FORBIDDEN.publish.map(subject => label('publish', subject)),
    ...FORBIDDEN.subscribe.map(subject => label('subscription', subject)),
  ])
  const tried = open.size
  void (async () => {
    for await (const status of observer.status()) {
      if (status.type !== 'error') continue
      const { operation, subject } = status.error as Error & { operation?: string; subject?: string }
      open.delete(label(operation ?? '', subject ?? ''))
    }
  })()
  for (const subject of FORBIDDEN.subscribe) observer.subscribe(subject, { callback: () => {} })
  for (const subject of FORBIDDEN.publish) observer.publish(subject, '{"data":{}}', { reply: '_INBOX_observer.x' })
  // The server answers in order: all refusals have come before this, and have been read when a turn of the event loop is over.
  await observer.flush()
  await setImmediate()
  return { allowed: [...open], tried }
}
