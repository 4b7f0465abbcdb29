export { compileTrusts } from './client-address.ts'
export { endConnections } from './connections.ts'
export { SUCCESS_CODE } from './envelope.ts'
export { type GatewayDoor, secretFault } from './gateway-door.ts'
export {
  CONSUMER_ID,
  CONSUMER_PERMISSIONS,
  gatewaySignature,
  SIGNATURE_HEADER,
  SIGNED_HEADERS,
} from './gateway-signature.ts'
export { openApiOf } from './openapi.ts'
export { Routes } from './routes.ts'
export { createHttpServer, type HttpServerOptions } from './server.ts'
