import { startGateway as start } from '@tsmicro/gateway'

/** @public */
export const startGateway = start
