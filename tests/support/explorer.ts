import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { DEMO_ADMIN } from '@blog-platform/auth-service/demo'
import { type Explorer, runExplorer } from '@tsmicro/explorer'
import type { DrivenPage } from './browser/driven-page.ts'
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

/** Signs the administrator in at the explorer's page. */
export async function signInAt(page: DrivenPage, { apiKey }: Pick<Platform, 'apiKey'>): Promise<void> {
  await page.click('button', 'Sign in')
  await page.fill('API key', apiKey)
  await page.fill('email', DEMO_ADMIN.email)
  await page.fill('password', DEMO_ADMIN.password)
  await page.press('Enter')
  await page.until(`document.querySelector('header button').textContent === 'Signed in: ${DEMO_ADMIN.email}'`)
}
