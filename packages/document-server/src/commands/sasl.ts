import { setTimeout as sleep } from 'node:timers/promises'
import { Binary, Int32 } from 'bson'
import { parseFirst, serverFirst, verifyFinal } from '../auth/scram.ts'
import type { Doc } from '../bson/document.ts'
import type { Client } from '../client.ts'
import { fail } from '../errors.ts'
import type { Command, Engine, Options } from './command.ts'

export const mechanism = 'SCRAM-SHA-256'
/** The failures that end a connection. Each is answered after a delay, so that guessing takes forever. */
const mostFailures = 5
const failureDelayMs = 100

/** The same for every failed attempt, so that it does not reveal what was wrong. */
const authenticationFailed = (): never => fail('Authentication failed.', 'AuthenticationFailed')

const conversationId = new Int32(1)
const reply = (text: string, done: boolean): Doc => ({ conversationId, done, payload: new Binary(Buffer.from(text)) })

function payloadOf(options: Options): string {
  const payload = options.raw('payload')
  if (payload instanceof Binary) return Buffer.from(payload.value()).toString('utf8')
  if (typeof payload === 'string') return Buffer.from(payload, 'base64').toString('utf8')
  return fail("BSON field 'payload' is the wrong type, expected type 'binData'", 'TypeMismatch')
}

/** Begins to sign in. @throws CommandError MechanismUnavailable, AuthenticationFailed */
export function begin(options: Options, client: Client, engine: Engine): Doc {
  client.conversation = undefined
  const wanted = options.text('mechanism') ?? ''
  if (wanted !== mechanism)
    fail(
      `Received authentication for mechanism ${wanted} which is not enabled: use ${mechanism}`,
      'MechanismUnavailable',
    )
  const first = parseFirst(payloadOf(options)) ?? authenticationFailed()
  const verifier = engine.credentials.verifierOf(first.user)
  const answer = serverFirst(first.nonce, verifier)
  client.conversation = {
    user: first.user,
    verifier,
    clientBare: first.bare,
    serverFirst: answer,
    short: options.doc('options')?.skipEmptyExchange === true,
    proven: false,
  }
  return reply(answer, false)
}

function proceed(options: Options, client: Client): Doc {
  const { conversation } = client
  client.conversation = undefined
  if (!conversation || options.number('conversationId') !== 1) return authenticationFailed()
  if (conversation.proven) {
    client.user = conversation.user
    return reply('', true)
  }
  const { verifier, clientBare, short } = conversation
  const proof = payloadOf(options)
  const signature = verifyFinal(proof, clientBare, conversation.serverFirst, verifier) ?? authenticationFailed()
  if (short) client.user = conversation.user
  else client.conversation = { ...conversation, proven: true }
  return reply(signature, short)
}

/** Delays the answer to a failure, and ends the connection after too many of them. */
async function guarded(client: Client, attempt: () => Doc): Promise<Doc> {
  try {
    return attempt()
  } catch (error) {
    client.failures++
    await sleep(failureDelayMs, undefined, { ref: false })
    if (client.failures >= mostFailures) client.gone = 'left'
    throw error
  }
}

const status = (client: Client): Doc => ({
  authInfo: {
    authenticatedUsers: client.user === undefined ? [] : [{ user: client.user, db: 'admin' }],
    authenticatedUserRoles: client.user === undefined ? [] : [{ role: 'root', db: 'admin' }],
  },
})

export const saslCommands: Readonly<Record<string, Command>> = {
  saslStart: {
    options: 'mechanism payload autoAuthorize options db',
    open: true,
    run: ({ options, client }, engine) => guarded(client, () => begin(options, client, engine)),
  },
  saslContinue: {
    options: 'conversationId payload',
    open: true,
    run: ({ options, client }) => guarded(client, () => proceed(options, client)),
  },
  logout: {
    options: '',
    open: true,
    run: ({ client }) => {
      client.user = undefined
      return {}
    },
  },
  connectionStatus: { options: 'showPrivileges', open: true, run: ({ client }) => status(client) },
}
