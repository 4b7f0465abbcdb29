/** `tsmicro contracts` on a copy of the platform's contracts. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runContracts } from '../../src/contracts/command.ts'
import { UsageError } from '../../src/errors.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const CONFIG = `import { defineSystem } from '@tsmicro/cli'
export default defineSystem({
  infra: [],
  services: {},
  contracts: [{ entry: 'auth/src/index.ts', recorded: 'auth/recorded.json' }],
})
`

function run(root: string, ...args: string[]) {
  const options = ['--disable-warning=ExperimentalWarning', MAIN, 'contracts', ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8', cwd: root })
  return { status, output: stdout + stderr }
}

/** The auth service's contracts with their recorded form. Below the repository, so that they find their packages. */
function copy(t: TestContext) {
  mkdirSync(join(ROOT, '.tmp'), { recursive: true })
  const root = mkdtempSync(join(ROOT, '.tmp', 'contracts-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  cpSync(join(ROOT, 'contracts/auth'), join(root, 'auth'), { recursive: true })
  // The copy has a changelog of its own, which names none of the platform's breaks.
  const { breaks: _, ...form } = JSON.parse(readFileSync(join(root, 'auth/recorded.json'), 'utf8'))
  writeFileSync(join(root, 'auth/recorded.json'), JSON.stringify({ ...form, breaks: [] }))
  mkdirSync(join(root, 'node_modules/@tsmicro'), { recursive: true })
  symlinkSync(join(ROOT, 'packages/cli'), join(root, 'node_modules/@tsmicro/cli'))
  writeFileSync(join(root, 'tsmicro.config.ts'), CONFIG)
  const change = (file: string, before: string, after: string) => {
    const path = join(root, 'auth/src', file)
    const text = readFileSync(path, 'utf8')
    assert.ok(text.includes(before), `${file} no longer has ${before}`)
    writeFileSync(
      path,
      text.replace(before, () => after),
    )
  }
  const recorded = () => readFileSync(join(root, 'auth/recorded.json'), 'utf8')
  return { root, change, recorded, check: (...args: string[]) => run(root, 'check', ...args) }
}

test('asyncapi prints the document of a service; with several, one has to be named', async () => {
  let output = ''
  const asyncapi = (...args: string[]) =>
    runContracts({
      configFile: join(ROOT, 'tsmicro.config.ts'),
      args: ['asyncapi', ...args],
      write: text => {
        output += text
      },
    })
  assert.equal(await asyncapi('blog'), 0)
  const { asyncapi: version, info, operations } = JSON.parse(output)
  assert.deepEqual([version, info.title, info.version, info.license], ['3.0.0', 'blog', '0.1.0', { name: 'MIT' }])
  assert.deepEqual(Object.keys(operations), [
    'blog.findById',
    'event.blog.published',
    'event.blog.unpublished',
    'event.blog.deleted',
  ])
  await assert.rejects(asyncapi(), /name a service: tsmicro contracts asyncapi auth\|blog/)
  await assert.rejects(asyncapi('shop'), UsageError)
})

test('asyncapi needs nothing that is recorded; check says that nothing is', async t => {
  const { root } = copy(t)
  const contract = 'auth/src/index.ts'
  const services = JSON.stringify({ auth: { entry: contract, contract, port: 8001 } })
  const configFile = join(root, 'tsmicro.config.ts')
  writeFileSync(
    configFile,
    `import { defineSystem } from '@tsmicro/cli'\nexport default defineSystem({ infra: [], services: ${services} })\n`,
  )
  let output = ''
  const write = (text: string) => {
    output += text
  }
  assert.equal(await runContracts({ configFile, args: ['asyncapi'], write }), 0)
  assert.equal(JSON.parse(output).info.title, 'auth')
  await assert.rejects(runContracts({ configFile, args: ['check'], write }), /no service has `recorded`/)
})

test('the recorded form of the platform is in step', () => {
  const { status, output } = run(ROOT, 'check', '--exact')
  assert.deepEqual([status, output], [0, 'The contracts break nobody.\n'], 'npm run contracts:record rewrites it')
})

test('a break fails the check, with what is different, for whom, and what to do; nothing is recorded', t => {
  const { root, change, recorded, check } = copy(t)
  const before = recorded()
  change('session.ts', '  name: UserName,\n', '  name: UserName,\n  referral: Type.String(),\n')
  change(
    'user.ts',
    '  name: Type.String(),\n  profilePicUrl: Type.Optional(Type.String()),\n})\nexport type PublicProfile',
    '  name: Type.String(),\n})\nexport type PublicProfile',
  )
  change('events.ts', 'role: RoleName }', 'role: Type.Integer() }')
  const { status, output } = check()
  assert.equal(status, 1)
  for (const line of [
    '  BREAKS  auth.signUp: input: referral is required now. Instead: make it optional or give it a default, or declare a new procedure beside it.',
    '  BREAKS  auth.publicProfile: output: profilePicUrl is removed. Instead: answer as before, or declare a new procedure beside it.',
    '  BREAKS  user.created: data: role may now be integer. Instead: make it version 2, with an upcast from 1.',
  ])
    assert.ok(output.split('\n').includes(line), `${line}\nis not among\n${output}`)
  assert.match(output, /^\d+ changes break somebody\. If it is wanted: tsmicro contracts record --break "the reason"$/m)
  const refused = run(root, 'record')
  assert.equal(refused.status, 1)
  assert.match(refused.output, /^Nothing was recorded, as \d+ changes break somebody\./m)
  assert.equal(recorded(), before)
})

test('a change that breaks nobody passes, is recorded, and is asked for with --exact', t => {
  const { root, change, recorded, check } = copy(t)
  change('session.ts', '  name: UserName,\n', '  name: UserName,\n  referral: Type.Optional(Type.String()),\n')
  const { status, output } = check()
  assert.equal(status, 0)
  assert.match(output, /^ {2}fits {4}auth\.signUp: input: referral is new, and may be left out$/m)
  const exact = check('--exact')
  assert.equal(exact.status, 1)
  assert.match(exact.output, /^auth\/recorded\.json is out of step: tsmicro contracts record rewrites it$/m)
  assert.equal(run(root, 'record').status, 0)
  assert.match(recorded(), /"referral": \{"type":"string"\}/)
  assert.equal(check('--exact').status, 0)
  // From now on it is a promise.
  change('session.ts', '  referral: Type.Optional(Type.String()),\n', '')
  assert.match(check().output, /BREAKS {2}auth\.signUp: input: referral is no longer accepted/)
})

test('a break that is wanted is recorded with its reason, and the changelog must name it', t => {
  const { root, change, check } = copy(t)
  change('session.ts', '  name: UserName,\n', '  name: UserName,\n  referral: Type.String(),\n')
  const { status, output } = run(root, 'record', '--break', 'every account has a referral')
  assert.equal(status, 0)
  assert.match(output, /^CHANGELOG\.md needs an entry: - Breaking: `auth\.signUp`: every account has a referral$/m)
  const unnamed = check()
  assert.equal(unnamed.status, 1)
  assert.match(unnamed.output, /^CHANGELOG\.md does not name a break: - Breaking: `auth\.signUp`: every account/m)
  writeFileSync(
    join(root, 'CHANGELOG.md'),
    '# Changelog\n\n- `auth.signUp` is nicer.\n- Every account has a referral.\n',
  )
  assert.equal(check().status, 1)
  writeFileSync(
    join(root, 'CHANGELOG.md'),
    '# Changelog\n\n- Breaking: `auth.signUp`: every\n  account has a referral.\n',
  )
  assert.deepEqual(check(), { status: 0, output: 'The contracts break nobody.\n' })
})

test('what is not recorded yet, or not readable, is an error that says what to do', t => {
  const { root, check } = copy(t)
  const path = join(root, 'auth/recorded.json')
  writeFileSync(path, '{')
  assert.match(check().output, /^tsmicro: auth\/recorded\.json cannot be read: /)
  rmSync(path)
  const { status, output } = check()
  assert.equal(status, 1)
  assert.equal(output, 'auth/recorded.json does not exist: tsmicro contracts record makes it\n')
  assert.equal(run(root, 'record').status, 0)
  assert.equal(check('--exact').status, 0)
  writeFileSync(join(root, 'tsmicro.config.ts'), CONFIG.replace(/ {2}contracts.*\n/, ''))
  assert.match(check().output, /^tsmicro: tsmicro\.config\.ts: no service has `recorded`/)
})

test('wrong arguments are refused, and --help explains them', async () => {
  let printed = ''
  const runHere = (...args: string[]) =>
    runContracts({ configFile: join(ROOT, 'tsmicro.config.ts'), args, write: text => (printed += text) })
  for (const args of [
    [],
    ['make'],
    ['check', 'record'],
    ['check', '--break', 'x'],
    ['record', '--exact'],
    ['record', '--break', ' '],
    ['check', '--force'],
  ])
    await assert.rejects(runHere(...args), UsageError, args.join(' '))
  assert.equal(printed, '')
  assert.equal(await runHere('--help'), 0)
  assert.match(
    printed,
    /^Usage: tsmicro contracts check \[--exact\]\n {7}tsmicro contracts record \[--break REASON\]\n/,
  )
})
