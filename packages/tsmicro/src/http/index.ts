export { createHttpClient, type HttpCallOptions, type HttpClient, type HttpClientOptions } from './client.ts'
export { compileTrusts } from './client-address.ts'
export { endConnections } from './connections.ts'
export {
  FAILURE_CODE,
  type FailureEnvelope,
  failureEnvelope,
  SUCCESS_CODE,
  type SuccessEnvelope,
} from './envelope.ts'
export { type GatewayDoor, secretFault } from './gateway-door.ts'
export { gatewaySignature, type SignedRequest } from './gateway-signature.ts'
export { type OpenApiInfo, openApiOf } from './openapi.ts'
export { type HttpHandlers, Routes, type RoutesOptions } from './routes.ts'
export { createHttpServer, type HttpServerOptions } from './server.ts'
