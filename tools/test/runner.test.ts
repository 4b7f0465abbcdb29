// CI alone: every `npm test` is a run of the runner.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const RUNNER = fileURLToPath(new URL('../test.ts', import.meta.url))
const temp = mkdtempSync(join(tmpdir(), 'tsmicro-runner-'))
after(() => rmSync(temp, { recursive: true, force: true }))

let count = 0

/** A workspace that holds these files, each given the imports that a test needs. */
function workspace(files: Record<string, string>): string {
  const root = join(temp, String(count++))
  for (const [path, code] of Object.entries({
    'packages/one/package.json': '{"name":"@x/one","type":"module"}',
    ...files,
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    const imports = path.endsWith('.ts')
      ? "import { test } from 'node:test'\nimport assert from 'node:assert/strict'\n"
      : ''
    writeFileSync(join(root, path), imports + code)
  }
  return root
}

type Ran = { readonly status: string | number; readonly output: string }

const run = (files: Record<string, string>, ...args: string[]) => runWith(process.env, files, ...args)

function runWith(env: NodeJS.ProcessEnv, files: Record<string, string>, ...args: string[]): Promise<Ran> {
  return new Promise(resolve =>
    execFile(process.execPath, [RUNNER, '--root', workspace(files), ...args], { env }, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, output: stdout + stderr }),
    ),
  )
}

const PASSING = "test('passes', () => {})"

// Each waits for processes and limits, so they run side by side.
describe('the test runner', { concurrency: 6 }, () => {
  test('all pass: exit 0 and the counters that CI reads', async () => {
    const { status, output } = await run({ 'packages/one/src/a.test.ts': PASSING, 'tests/b.test.ts': PASSING })
    assert.equal(status, 0, output)
    assert.match(output, /^✓ tests\/b\.test\.ts \(1 tests, [\d.]+ s, [\d.]+ s CPU\)$/m)
    for (const counter of ['tests 2', 'pass 2', 'fail 0', 'skipped 0', 'cpu_ms [1-9]\\d*'])
      assert.match(output, new RegExp(`^ℹ ${counter}$`, 'm'))
  })

  test('a failing test is shown in full with the tests around it, and the exit code is 1', async () => {
    const { status, output } = await run({
      'packages/one/tests/a.test.ts':
        "test('outer', async t => { await t.test('inner', () => assert.deepEqual({ a: 1 }, { a: 2 })) })",
      'packages/one/tests/b.test.ts': PASSING,
    })
    assert.equal(status, 1)
    assert.match(output, /✗ outer › inner/)
    assert.match(output.slice(output.indexOf('Failed files')), /✗ outer › inner\n +.*Expected values/s)
    assert.match(output, /\+ {3}a: 1/)
    assert.match(output, /^ℹ pass 1$/m)
    assert.match(output, /^ℹ fail 2$/m)
  })

  test('a file that takes long holds up no other one', async () => {
    const between = Array.from({ length: 12 }, (_, n) => [`tools/b${n}.test.ts`, "test('passes', () => {})"])
    const { status, output } = await run(
      {
        'tools/a.test.ts': `import { existsSync } from 'node:fs'
test('waits for the last one', async () => {
  while (!existsSync('last')) await new Promise(resolve => setTimeout(resolve, 20))
})`,
        ...Object.fromEntries(between),
        'tools/c.test.ts': `import { writeFileSync } from 'node:fs'\ntest('the last one', () => writeFileSync('last', ''))`,
      },
      ...['--concurrency', '2', '--limit', '120'],
    )
    assert.equal(status, 0, output)
  })

  test('what was skipped is listed with its reason', async () => {
    const { status, output } = await run({
      'tools/a.test.ts': `${PASSING}\ntest('needs curl', { skip: 'curl is not installed' }, () => {})\ntest('bare', { skip: true }, () => {})`,
    })
    assert.equal(status, 0, output)
    assert.match(output, /tools\/a\.test\.ts: needs curl: curl is not installed/)
    assert.match(output, /tools\/a\.test\.ts: bare: no reason given/)
  })

  test('what a test has to tell is shown below its file, the runner’s own counters are not', async () => {
    const { output } = await run({
      'tools/a.test.ts': "test('tells', t => { t.diagnostic('seed 5'); t.diagnostic('| a | table |') })",
    })
    assert.match(output, /^✓ tools\/a\.test\.ts .*\n {4}seed 5\n {4}\| a \| table \|$/m)
    assert.equal(output.match(/duration_ms/g)?.length, 1)
  })

  for (const [what, code, expected] of [
    ['throws while it loads', "throw new Error('boom at load')", /boom at load/],
    ['ends its process with success in the middle', "test('a', () => process.exit(0))", /ended its process before/],
    [
      'is killed by a signal',
      "test('a', () => process.kill(process.pid, 'SIGKILL'))",
      /ended before its tests had \(signal SIGKILL\)/,
    ],
    ['has no test', 'console.log(1)', /has no test/],
    [
      'hangs in a test',
      "test('slow one', () => new Promise(() => setInterval(() => {}, 1000)))",
      /did not end within .* in “slow one”/,
    ],
    ['leaves a handle open', `${PASSING}\nsetInterval(() => {}, 1000)`, /did not end within .* open handle/],
    [
      'leaves a process behind',
      `import { spawn } from 'node:child_process'\n
    test('a', () => { spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref() })`,
      /left process \d+ behind, now killed: sleep 1000/,
    ],
  ] as const) {
    test(`a file that ${what} is reported, and those after it run`, {
      skip: what.includes('behind') && process.platform !== 'linux' ? 'needs /proc' : false,
    }, async () => {
      const limit = what.includes('hangs') || what.includes('handle') ? ['--limit', '4'] : []
      const { status, output } = await run({ 'packages/one/src/a.test.ts': code, 'tools/z.test.ts': PASSING }, ...limit)
      assert.equal(status, 1)
      assert.match(output, expected)
      assert.match(output, /✓ tools\/z\.test\.ts/)
      assert.match(output, /^ℹ fail [1-9]/m)
    })
  }

  test('arguments narrow the run', async () => {
    const files = {
      'packages/one/src/a.test.ts': PASSING,
      'packages/one/src/b.test.ts': PASSING,
      'tests/c.test.ts': PASSING,
    }
    const list = async (...args: string[]) => (await run(files, '--list', ...args)).output.trim().split('\n')
    assert.deepEqual(await list(), ['tests/c.test.ts', 'packages/one/src/a.test.ts', 'packages/one/src/b.test.ts'])
    for (const part of ['one', '@x/one', 'packages/one']) assert.equal((await list(part)).length, 2)
    assert.deepEqual(await list('--only', 'src/b'), ['packages/one/src/b.test.ts'])
  })

  test('what runs in CI alone is left out by hand, which says so, unless --only names it', async () => {
    const root = workspace({ 'tests/a.test.ts': PASSING, 'tests/b.test.ts': PASSING })
    const path = join(root, 'tests/b.test.ts')
    writeFileSync(path, `// CI alone: a shows the same\n${readFileSync(path, 'utf8')}`)
    const list = async (CI: string, ...args: string[]) =>
      (await runWith({ ...process.env, CI }, {}, '--root', root, '--list', ...args)).output.trim().split('\n')
    assert.deepEqual(await list(''), ['tests/a.test.ts'])
    assert.deepEqual(await list('true'), ['tests/a.test.ts', 'tests/b.test.ts'])
    assert.deepEqual(await list('', '--only', 'tests/b'), ['tests/b.test.ts'])
    const { output } = await runWith({ ...process.env, CI: '' }, {}, '--root', root)
    assert.match(output, /^Left out \(1 files; .*\n {2}tests\/b\.test\.ts: a shows the same$/m)
    assert.match(output, /^ℹ tests 1$/m)
  })

  test('by hand small files share a process, which ends after all of them; in CI and with --only each has its own', async () => {
    const file = `import { after } from 'node:test'
await new Promise(resolve => setTimeout(resolve, 20))
test('tells', t => t.diagnostic(globalThis.ended ? 'too late' : \`process \${process.pid}\`))
after(() => { globalThis.ended = true })`
    const root = workspace({ 'tools/check/docs.test.ts': file, 'tools/check/files.test.ts': file })
    const processes = async (CI: string, ...args: string[]) => {
      const { output } = await runWith({ ...process.env, CI }, {}, '--root', root, ...args)
      const told = output.match(/process \d+/g) ?? []
      return [told.length, new Set(told).size]
    }
    assert.deepEqual(await processes(''), [2, 1])
    assert.deepEqual(await processes('', '--only', 'tools'), [2, 2])
    assert.deepEqual(await processes('true'), [2, 2])
  })

  test('by hand the files of a library are bundled, for the processes that a test starts as well; CI loads them as they are', async () => {
    const root = workspace({
      'package.json': '{}',
      'node_modules/kysely/package.json':
        '{"type":"module","exports":{".":"./index.js","./helpers/postgres":"./at.js"}}',
      'node_modules/kysely/index.js': "export { at } from './at.js'",
      'node_modules/kysely/at.js': 'export const at = import.meta.url',
      'tests/a.test.ts': `import { execFileSync } from 'node:child_process'
import { at } from 'kysely'
const program = "import { at } from 'kysely'; console.log(at)"
test('tells', t => {
  t.diagnostic(\`here \${at}\`)
  t.diagnostic(\`there \${execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })}\`)
})`,
    })
    const places = async (CI: string) => {
      const env = { ...process.env, NODE_OPTIONS: '', CI }
      const { output } = await runWith(env, {}, '--root', root)
      return output.match(/(here|there) \S+(kysely|tsmicro-libraries)/g)?.map(line => line.replace(/ .*\//, ' '))
    }
    assert.deepEqual(await places(''), ['here tsmicro-libraries', 'there tsmicro-libraries'])
    assert.deepEqual(await places('true'), ['here kysely', 'there kysely'])
  })

  test('a part, path or flag that does not exist is refused with exit code 2; no test that ran is 1', async () => {
    const files = { 'packages/one/src/a.test.ts': PASSING }
    for (const args of [['two'], ['--only', 'nowhere'], ['--nonsense'], ['--concurrency', 'x']]) {
      assert.equal((await run(files, ...args)).status, 2, args.join(' '))
    }
    assert.equal((await run(files, '--name', 'matches nothing')).status, 1)
    assert.equal((await run(files, '--help')).status, 0)
  })

  test('Ctrl-C ends the test processes and what they started', {
    skip: process.platform === 'linux' ? false : 'needs /proc',
  }, async () => {
    const code = `import { spawn } from 'node:child_process'\nimport { writeFileSync } from 'node:fs'\n
    test('a', async () => { writeFileSync('pid', String(spawn('sleep', ['1000']).pid)); await new Promise(() => {}) })`
    const root = workspace({ 'tools/a.test.ts': code })
    const runner = spawn(process.execPath, [RUNNER, '--root', root], { stdio: 'ignore' })
    const ended = new Promise(resolve => runner.once('exit', resolve))
    await until(() => existsSync(join(root, 'pid')) && readFileSync(join(root, 'pid'), 'utf8') !== '')
    const pid = readFileSync(join(root, 'pid'), 'utf8')
    // npm passes on the signal that its whole group has received.
    for (let n = 0; n < 2; n++) runner.kill('SIGINT')
    assert.equal(await ended, 130)
    await until(() => !existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
  })

  test('--load: processes that keep the machine busy run beside the tests, and end with them', async () => {
    const { status, output } = await run(
      {
        'tests/a.test.ts': `import { readFileSync } from 'node:fs'
test('beside others', t => {
  const children = readFileSync(\`/proc/\${process.ppid}/task/\${process.ppid}/children\`, 'utf8').trim().split(' ')
  t.diagnostic(\`busy: \${children.filter(pid => Number(pid) !== process.pid)}\`)
})`,
      },
      '--load',
      '2',
    )
    assert.equal(status, 0, output)
    const busy = /busy: ([\d,]*)/.exec(output)?.[1]?.split(',') ?? []
    assert.equal(busy.length, 2)
    // Killed, but perhaps not yet collected: a zombie has no command line.
    const alive = (pid: string) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
      } catch {
        return false
      }
    }
    const end = Date.now() + 10_000
    while (busy.some(alive) && Date.now() < end) await sleep(20)
    assert.deepEqual(busy.filter(alive), [])
  })
})

async function until(condition: () => boolean): Promise<void> {
  for (let left = 600; !condition(); left--) {
    assert.ok(left > 0, 'the condition never became true')
    await sleep(50)
  }
}
