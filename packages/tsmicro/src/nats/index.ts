export { type Broadcast, createNatsBroadcast } from './broadcast.ts'
export { type CallOptions, NatsClient, type NatsClientOptions, requestNats } from './client/client.ts'
export { NatsLink } from './connection.ts'
export { createEndpoint, type Endpoint } from './endpoint/endpoint.ts'
export { contextOfMessage } from './endpoint/message-context.ts'
export { NatsServer } from './endpoint/server.ts'
export { NOT_PERMITTED } from './not-permitted.ts'
export type { TransportOptions } from './options.ts'
export { allows, type OwnPermissions, USER_INFO } from './own-permissions.ts'
export { covers, type Tokens, tokensOf } from './pattern.ts'
export { assertAnnounces, limitTo, type Scope, unsaidOf } from './scope.ts'
export { Subscriptions } from './subscriptions.ts'
export type {
  Connect,
  Transport,
  TransportSubscribeOptions,
  TransportSubscription,
} from './transport.ts'
export { REQUEST_ID, TRACEPARENT } from './wire/headers.ts'
