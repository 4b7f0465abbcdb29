import { Binary, Double, Int32 } from 'bson'
import { type Doc, maxDocumentBytes } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { maxMessageBytes } from '../wire/messages.ts'
import { type Command, Options } from './command.ts'
import { begin, mechanism } from './sasl.ts'

/** MongoDB 7.0, the last wire version before `bulkWrite` became a server command. */
const maxWireVersion = 21

/** A standalone server: without a replica set name, drivers send no transaction numbers (retryable writes). */
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

/** The handshake may begin to sign in and ask for the mechanisms. It does not reveal which users exist. */
const hello = (legacy: boolean): Command => ({
  options:
    'helloOk client compression saslSupportedMechs speculativeAuthenticate topologyVersion maxAwaitTimeMS loadBalanced backpressure',
  open: true,
  run({ options, client }, engine) {
    const reply = helloReply(client.id, legacy)
    if (options.text('saslSupportedMechs') !== undefined) reply.saslSupportedMechs = [mechanism]
    const attempt = options.doc('speculativeAuthenticate')
    if (attempt && 'saslStart' in attempt) {
      try {
        reply.speculativeAuthenticate = begin(new Options(attempt, 'saslStart'), client, engine)
      } catch (error) {
        // The client goes on with saslStart, which will report what is wrong.
        if (!(error instanceof CommandError)) throw error
      }
    }
    return reply
  },
})
const isMaster = hello(true)

const buildInfo: Command = {
  options: '',
  open: true,
  run: () => ({
    version: '7.0.0',
    versionArray: [7, 0, 0, 0].map(part => new Int32(part)),
    gitVersion: 'embedded document server',
    modules: [],
    bits: new Int32(64),
    debug: false,
    maxBsonObjectSize: new Int32(maxDocumentBytes),
    storageEngines: ['sqlite'],
    uptime: new Double(process.uptime()),
  }),
}

const ping: Command = { options: '', open: true, run: () => ({}) }

const endSessions: Command = {
  options: '',
  run({ options }, engine) {
    for (const session of options.docs('endSessions') ?? []) engine.cursors.endSession(sessionKey(session) ?? '')
    return {}
  },
}

export const handshakeCommands = {
  hello: hello(false),
  isMaster,
  ismaster: isMaster,
  ping,
  buildInfo,
  buildinfo: buildInfo,
  endSessions,
}

/** The id of a client session as text. */
export function sessionKey(session: Doc | undefined): string | undefined {
  const id = session?.id
  return id instanceof Binary ? Buffer.from(id.value()).toString('hex') : undefined
}
