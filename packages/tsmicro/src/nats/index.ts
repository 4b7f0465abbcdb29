export type { EndpointLimits } from '../call/index.ts'
export { type Broadcast, type BroadcastListener, createNatsBroadcast } from './broadcast.ts'
export type { BatchingOptions } from './client/batching.ts'
export { type CallOptions, NatsClient, type NatsClientOptions, requestNats } from './client/client.ts'
export { MALFORMED_REPLY } from './client/reply.ts'
export { NatsLink } from './connection.ts'
export { createEndpoint, type Endpoint, type EndpointOptions } from './endpoint/endpoint.ts'
export { contextOfMessage } from './endpoint/message-context.ts'
export { NatsServer, type NatsServerOptions } from './endpoint/server.ts'
export { NOT_PERMITTED } from './not-permitted.ts'
export type { LinkOptions, NatsOptions, ServerOptions, TransportOptions } from './options.ts'
export { allows, type OwnPermissions, USER_INFO } from './own-permissions.ts'
export { covers, type Tokens, tokensOf } from './pattern.ts'
export { Subscriptions, type Wanted } from './subscriptions.ts'
export type {
  Connect,
  ConnectAs,
  Transport,
  TransportSubscribeOptions,
  TransportSubscription,
} from './transport.ts'
export { REQUEST_ID, TRACEPARENT } from './wire/headers.ts'
