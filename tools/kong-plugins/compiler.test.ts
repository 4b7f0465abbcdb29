import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, globSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { luaOf, pluginSources, staleFiles } from './compiler.ts'
import { noLuajit, playInLua } from './corpus/in-lua.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Makes a copy of the plugins and everything that belongs to them, for a test to change. */
function copy(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'tsmicro-plugins-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const path of ['plugins', 'pdk', 'compiler/package-lock.json', 'compiler/tsconfig.json'])
    cpSync(join(ROOT, 'kong', path), join(root, 'kong', path), { recursive: true })
  return root
}

const SOURCE = 'kong/plugins/apikey-auth/core.ts'

test('LuaJIT can read every file', { skip: noLuajit() }, () => {
  const files = globSync('kong/plugins/*/*.lua', { cwd: ROOT })
  assert.ok(files.length > pluginSources(ROOT).length)
  for (const file of files) assert.equal(spawnSync('luajit', ['-bl', file], { cwd: ROOT }).status, 0, file)
})

test('a changed source is found without the compiler, and makes every generated file outdated', t => {
  const root = copy(t)
  assert.deepEqual(staleFiles(root), [])
  for (const path of [SOURCE, 'kong/pdk/ngx.d.ts', 'kong/compiler/tsconfig.json']) {
    const text = readFileSync(join(root, path), 'utf8')
    writeFileSync(join(root, path), `${text}\n`)
    const problems = staleFiles(root)
    assert.equal(problems.length, pluginSources(root).length, path)
    assert.ok(problems.includes(`${luaOf(SOURCE)} is older than its sources`))
    writeFileSync(join(root, path), text)
  }
})

test('files that were edited, are missing or no longer have a source are found', t => {
  const root = copy(t)
  appendFileSync(join(root, luaOf(SOURCE)), '-- more\n')
  assert.deepEqual(staleFiles(root), [`${luaOf(SOURCE)} was changed by hand`])
  unlinkSync(join(root, luaOf(SOURCE)))
  assert.deepEqual(staleFiles(root), [`${luaOf(SOURCE)} is missing, or not generated from ${SOURCE}`])
  cpSync(join(ROOT, luaOf(SOURCE)), join(root, 'kong/plugins/apikey-auth/orphan.lua'))
  assert.ok(staleFiles(root).includes('kong/plugins/apikey-auth/orphan.lua no longer has a source: delete it'))
})

/** Kong only: nginx shows a plugin at most a thousand fields, and a short secret behind a reference does not make the config invalid. */
test('in Lua: requests with too many fields are refused, and so is signing with a short secret', {
  skip: noLuajit(),
}, () => {
  const check = { verify_urls: ['http://one:1/verify'] }
  const request = { headers: [['x-api-key', 'k']], truncated: true } as const
  const step = { request, expect: { asked: [] } }
  const signing = (secret: string) => ({ name: '', plugin: 'sign-request', config: { secret }, steps: [step] })
  const short = { ...signing('short'), steps: [{ ...step, request: {} }] }
  const played = playInLua([
    { name: '', plugin: 'apikey-auth', config: check, steps: [step] },
    signing('x'.repeat(32)),
    short,
  ])
  assert.deepEqual(played, [
    [{ answer: '431 Too many header fields', asked: [] }],
    [{ answer: '431 Too many header fields', asked: [] }],
    [{ answer: '500 An unexpected error occurred', asked: [] }],
  ])
})
