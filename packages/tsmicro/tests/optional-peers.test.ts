import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import manifest from '../package.json' with { type: 'json' }

/** Refuses the optional peers, as if they were not installed. */
const HOOKS = `import { registerHooks } from 'node:module'
const peers = ${JSON.stringify(Object.keys(manifest.peerDependencies))}
registerHooks({ resolve(name, context, next) {
  if (peers.some(peer => name === peer || name.startsWith(peer + '/'))) throw new Error(name + ' is not installed')
  return next(name, context)
} })`

for (const entry of [
  'tsmicro',
  'tsmicro/contract',
  'tsmicro/client',
  'tsmicro/config',
  'tsmicro/telemetry',
  'tsmicro/testing',
])
  test(`${entry} loads without any optional peer`, async () => {
    const flags = ['--import', `data:text/javascript,${encodeURIComponent(HOOKS)}`, '--input-type=module', '-e']
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...flags, `console.log(typeof (await import('${entry}')))`],
      {
        cwd: import.meta.dirname,
      },
    )
    assert.equal(stdout, 'object\n')
  })
