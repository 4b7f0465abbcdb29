export { startGateway } from '@tsmicro/gateway'
