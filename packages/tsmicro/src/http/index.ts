export { endConnections } from './connections.ts'
export { SUCCESS_CODE } from './envelope.ts'
export {
  CONSUMER_ID,
  CONSUMER_PERMISSIONS,
  compileTrusts,
  type GatewayDoor,
  gatewaySignature,
  SIGNATURE_HEADER,
  SIGNED_HEADERS,
  secretFault,
} from './gateway.ts'
export { openApiOf } from './openapi.ts'
export { mountRoute, type Routes, routeOf } from './routes.ts'
export { createHttpServer, type HttpServerOptions } from './server.ts'
