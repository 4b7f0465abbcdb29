/** For the packages, tools and tests of this repository alone: it may change at any time. Services and examples never import it. */
export { eventsOf, hasNoBody, inboxPrefixOf, isRole, needsUser, parseRoute, proceduresOf } from './contract/index.ts'
export { createHttpServer, gatewaySignature } from './http/index.ts'
export { requestNats, type Transport } from './nats/index.ts'
