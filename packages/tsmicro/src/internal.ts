/** For the packages, tools and tests of this repository alone: it may change at any time. Services and examples never import it. */
export { type CallOf, Deadline, DoorContext } from './call/index.ts'
export {
  BODY,
  contractsIn,
  eventsDoor,
  eventsOf,
  fieldsOfInput,
  fileOfOutput,
  hasNoBody,
  inboxPrefixOf,
  isRole,
  isStream,
  jsonOfOutput,
  kindOfBody,
  mostFileBytes,
  type NatsAccess,
  nameOfAccess,
  natsExplorerOf,
  natsListenerOf,
  natsObserverOf,
  natsOperatorOf,
  natsStreamsOf,
  needsUser,
  parseRoute,
  proceduresOf,
  roleBesideOwner,
  statusesOf,
  uploadOfInput,
} from './contract/index.ts'
export { MALFORMED_REPLY, rootMessage } from './errors/index.ts'
export { JetStream, streamsOf } from './events/index.ts'
export { gatewaySignature, SIGNED_HEADERS } from './http/index.ts'
export { asyncApiOf, NOT_PERMITTED, type Transport } from './nats/index.ts'
export {
  describeSchema,
  exampleOf,
  findRefused,
  isNode,
  type Journey,
  type JsonSchema,
  mapSubschemas,
  type Root,
  rootOf,
} from './schema/index.ts'
