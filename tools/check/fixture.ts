import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Check } from './check.ts'

const PACKAGE = (name: string, more: object = {}) => JSON.stringify({ name, version: '1.0.0', type: 'module', ...more })

/** A small workspace like this one, in which every check that reads files passes. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json': PACKAGE('root', {
    workspaces: ['packages/*', 'contracts/*', 'services/*'],
    scripts: { check: 'x' },
  }),
  'packages/tsmicro/package.json': PACKAGE('tsmicro', { dependencies: { fastify: '5.0.0' } }),
  'packages/tsmicro/src/errors/index.ts': "export { a } from './a.ts'\n",
  'packages/tsmicro/src/errors/a.ts': '/** A. */\nexport const a = 1\n',
  'packages/infra/package.json': PACKAGE('@tsmicro/infra'),
  'packages/gateway/package.json': PACKAGE('@tsmicro/gateway', { dependencies: { tsmicro: '1.0.0' } }),
  'contracts/one/package.json': PACKAGE('@x/one-contract', { dependencies: { tsmicro: '1.0.0', typebox: '1.0.0' } }),
  'services/one/package.json': PACKAGE('@x/one', {
    dependencies: { tsmicro: '1.0.0', '@x/one-contract': '1.0.0', pg: '1.0.0' },
  }),
  'services/two/package.json': PACKAGE('@x/two', { dependencies: { '@x/one': '1.0.0' } }),
}

/** Writes the sound workspace with these files over it into a temporary folder that goes when the test ends. */
export function fixture(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'tsmicro-check-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries({ ...SOUND, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

/** What a check finds wrong in the sound workspace with these files over it. */
export async function problemsOf(
  check: Check,
  t: TestContext,
  files?: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  return (await check.run(fixture(t, files))).problems
}
