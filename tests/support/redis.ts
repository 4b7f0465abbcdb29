import { locateRedis } from '@tsmicro/infra'

/** Why tests that need Redis are skipped here, or `false`. */
export const noRedis = (await locateRedis()) === undefined ? 'no redis-server of 6.2 or later on PATH' : false
