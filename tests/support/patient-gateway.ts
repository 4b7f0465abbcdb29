import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Gateway, startGateway } from '@tsmicro/gateway'
import type { Platform } from './platform.ts'

const KEPT_FOR = / cache_ttl: \d+$/gm

/** The same public door, except that it remembers API keys long enough for any test. */
export async function startPatientGateway(
  resources: AsyncDisposableStack,
  { authUrl, blogUrl }: Pick<Platform, 'authUrl' | 'blogUrl'>,
): Promise<Gateway> {
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-gateway-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const config = await readFile(new URL('../../kong/kong.yml', import.meta.url), 'utf8')
  assert.match(config, KEPT_FOR)
  const path = join(directory, 'kong.yml')
  await writeFile(path, config.replaceAll(KEPT_FOR, ' cache_ttl: 600'))
  const resolve = { 'auth:8001': new URL(authUrl).host, 'blog:8002': new URL(blogUrl).host }
  return resources.use(await startGateway({ config: path, port: 0, resolve }))
}
