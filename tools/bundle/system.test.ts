import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { loadConfig } from '../../packages/cli/src/config.ts'
import { contractModules } from '../../packages/cli/src/explorer/contract-modules.ts'
import { bundleSystem } from './system.ts'

const ROOT = join(import.meta.dirname, '../..')

test('the system of npm run start:built can be loaded, with the contracts for its explorer', async t => {
  // Below the repository, so that it finds the packages.
  mkdirSync(join(ROOT, '.tmp'), { recursive: true })
  const root = mkdtempSync(join(ROOT, '.tmp', 'built-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const file of [
    'services/auth/dist/main.js',
    'services/blog/dist/main.js',
    'kong/kong.yml',
    'kong/kong-load-balanced.yml',
  ]) {
    mkdirSync(join(root, dirname(file)), { recursive: true })
    writeFileSync(join(root, file), '')
  }
  await bundleSystem(ROOT, join(root, 'dist'))
  const { config, root: folder } = await loadConfig(join(root, 'dist/tsmicro.config.js'))
  assert.deepEqual(Object.keys(config.services), ['auth', 'blog'])
  const modules = contractModules(config, folder)
  assert.equal(modules.length, 2)
  for (const path of modules) assert.ok(Object.keys(await import(pathToFileURL(path).href)).length > 0, path)
})
