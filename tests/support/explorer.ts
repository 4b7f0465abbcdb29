import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type Explorer, runExplorer } from '@tsmicro/explorer'
import { natsUrlFor } from './nats-users.ts'
import type { Platform } from './platform.ts'

const contractsOf = (service: string) =>
  fileURLToPath(new URL(`../../contracts/${service}/src/index.ts`, import.meta.url))

/** The explorer of a platform, as `npm start` runs it, but in this process. */
export async function exploring(platform: Platform): Promise<Explorer & AsyncDisposable> {
  const explorer = await runExplorer({
    port: 0,
    token: randomBytes(32).toString('base64url'),
    contracts: ['auth', 'blog'].map(contractsOf),
    gatewayUrl: platform.url,
    serviceUrls: {},
    natsUrl: natsUrlFor('explorer', platform.nats.url),
    signIn: { procedure: 'auth.signIn', token: 'tokens.accessToken' },
  })
  return { ...explorer, [Symbol.asyncDispose]: () => explorer.close() }
}
