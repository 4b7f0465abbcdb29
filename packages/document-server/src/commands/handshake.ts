import { Binary, Double, Int32 } from 'bson'
import type { Doc } from '../bson/document.ts'
import { maxDocumentBytes } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { maxMessageBytes } from '../wire/frame.ts'
import type { Command } from './command.ts'
import { Options } from './options.ts'
import { begin, mechanism } from './sasl.ts'

/** MongoDB 7.0: the last wire version before `bulkWrite` became a server command. */
const maxWireVersion = 21
const version = '7.0.0'

/** A standalone server: no replica set name, so drivers send no transaction numbers (retryable writes). */
function helloReply(connectionId: number, legacy: boolean): Doc {
  return {
    helloOk: true,
    [legacy ? 'ismaster' : 'isWritablePrimary']: true,
    maxBsonObjectSize: new Int32(maxDocumentBytes),
    maxMessageSizeBytes: new Int32(maxMessageBytes),
    maxWriteBatchSize: new Int32(100_000),
    localTime: new Date(),
    logicalSessionTimeoutMinutes: new Int32(30),
    connectionId: new Int32(connectionId),
    minWireVersion: new Int32(0),
    maxWireVersion: new Int32(maxWireVersion),
    readOnly: false,
  }
}

const options = [
  'helloOk',
  'client',
  'compression',
  'saslSupportedMechs',
  'speculativeAuthenticate',
  'topologyVersion',
  'maxAwaitTimeMS',
  'loadBalanced',
  'backpressure',
]

/** The handshake, which may begin to sign in and ask how to do that; who exists is not told. */
const hello = (legacy: boolean): Command => ({
  options,
  open: true,
  run({ options, client }, engine) {
    const reply = helloReply(client.id, legacy)
    if (options.text('saslSupportedMechs') !== undefined) reply.saslSupportedMechs = [mechanism]
    const attempt = options.doc('speculativeAuthenticate')
    if (attempt && 'saslStart' in attempt) {
      try {
        reply.speculativeAuthenticate = begin(new Options(attempt, 'saslStart'), client, engine)
      } catch (error) {
        // The client goes on with saslStart, and learns there what is wrong.
        if (!(error instanceof CommandError)) throw error
      }
    }
    return reply
  },
})
const isMaster = hello(true)

export const handshakeCommands: Readonly<Record<string, Command>> = {
  hello: hello(false),
  isMaster,
  ismaster: isMaster,
  ping: { options: [], open: true, run: () => ({}) },
  buildInfo: { options: [], open: true, run: buildInfo },
  buildinfo: { options: [], open: true, run: buildInfo },
  endSessions: {
    options: [],
    run: (request, engine) => {
      for (const session of request.options.docs('endSessions') ?? [])
        engine.cursors.endSession(sessionKey(session) ?? '')
      return {}
    },
  },
}

function buildInfo(): Doc {
  return {
    version,
    versionArray: [7, 0, 0, 0].map(part => new Int32(part)),
    gitVersion: 'embedded document server',
    modules: [],
    bits: new Int32(64),
    debug: false,
    maxBsonObjectSize: new Int32(maxDocumentBytes),
    storageEngines: ['sqlite'],
    uptime: new Double(process.uptime()),
  }
}

/** The id of a client session as text. */
export function sessionKey(session: Doc | undefined): string | undefined {
  const id = session?.id
  return id instanceof Binary ? Buffer.from(id.value()).toString('hex') : undefined
}
