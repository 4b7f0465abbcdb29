export { asyncApiOf } from './asyncapi.ts'
export { type Broadcast, createNatsBroadcast } from './broadcast.ts'
export { type CallOptions, NatsClient, type NatsClientOptions } from './client/client.ts'
export { NatsLink } from './connection.ts'
export { createEndpoint } from './endpoint/endpoint.ts'
export { contextOfMessage, respond, respondFailure } from './endpoint/message.ts'
export { NatsServer } from './endpoint/server.ts'
export { decodeHeaders, parseHeaders } from './headers.ts'
export type { TransportOptions } from './options.ts'
export {
  allows,
  assertDeclared,
  limitTo,
  NOT_PERMITTED,
  type OwnPermissions,
  type Scope,
  USER_INFO,
} from './permissions.ts'
export { covers, isInbox, type Tokens, tokensOf } from './subjects.ts'
export { Subscriptions } from './subscriptions.ts'
export {
  type Connect,
  follow,
  type Transport,
  type TransportSubscribeOptions,
  type TransportSubscription,
} from './transport.ts'
export { decodeEnvelope } from './wire.ts'
