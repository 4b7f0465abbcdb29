import assert from 'node:assert/strict'
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onlyInFull } from '../../tests/support/size.ts'

const VERIFY = fileURLToPath(new URL('../verify-fresh.ts', import.meta.url))
const account = process.getuid?.() === 0 ? '--root-only' : '--user-only'
const temp = mkdtempSync(join(tmpdir(), 'tsmicro-verify-test-'))
after(() => rmSync(temp, { recursive: true, force: true }))

const withGit = process.platform === 'linux' && spawnSync('git', ['--version']).status === 0
const skip = withGit ? onlyInFull : 'verify:fresh needs Linux and git'

/** A platform of a few lines: it keeps accounts in a file, and ends with its parent. Each test breaks one thing of it. */
const PLATFORM = `
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
mkdirSync('.data', { recursive: true })
const people = existsSync('.data/people') ? JSON.parse(readFileSync('.data/people', 'utf8')) : []
createServer(async (request, response) => {
  const { email } = JSON.parse(Buffer.concat(await request.toArray()).toString())
  if (request.url === '/auth/signup/basic') people.push(email)
  writeFileSync('.data/people', JSON.stringify(people))
  response.statusCode = people.includes(email) ? 200 : 401
  response.end('{"accessToken":"x"}')
}).listen(Number(process.env.GATEWAY_PORT), '127.0.0.1', () => console.log('Ctrl-C stops everything'))
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(1), 50)
process.on('SIGINT', () => process.exit(0))
`

let count = 0

/** A repository whose supervisor is this code, committed. */
function repository(main: string): string {
  const root = join(temp, String(count++))
  // This Node and not the machine's, which may be too old for TypeScript.
  const start = `exec ${process.execPath} --disable-warning=MODULE_TYPELESS_PACKAGE_JSON packages/cli/src/main.ts start`
  const files = {
    '.gitignore': '.data/\nnode_modules/\n',
    'package.json': JSON.stringify({ name: 'x', version: '1.0.0', type: 'module', scripts: { start } }),
    'package-lock.json': JSON.stringify({
      name: 'x',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: { '': { name: 'x', version: '1.0.0' } },
    }),
    'packages/cli/src/main.ts': main,
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args])
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message=x')
  return root
}

type Ran = { readonly status: string | number; readonly output: string }

function verify(main: string): Promise<Ran> {
  const args = [VERIFY, account, '--no-test', '--source', repository(main)]
  return new Promise(resolve =>
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, output: stdout + stderr }),
    ),
  )
}

describe('verify:fresh', { concurrency: 6, skip }, () => {
  test('passes what keeps the promise', async () => {
    const { status, output } = await verify(PLATFORM)
    assert.equal(status, 0, output)
    assert.match(output, /^14 passed, 0 failed$/m)
  })

  for (const [what, from, to, expected] of [
    [
      'loses its data',
      "'.data/people', J",
      "'.data/other', J",
      /✗ the account made before can sign in[\s\S]* answered 401/,
    ],
    [
      'ends Ctrl-C with 1',
      "'SIGINT', () => process.exit(0)",
      "'SIGINT', () => process.exit(1)",
      /✗ Ctrl-C ends it with 0[\s\S]*ended with 1/,
    ],
    [
      'leaves a process',
      'const parent',
      "spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref()\nconst parent",
      /✗ nothing is left[\s\S]*sleep 1000/,
    ],
    [
      'outlives npm',
      'process.ppid === parent || process.exit(1)',
      '{}',
      /✗ kill -9 of npm leaves nothing[\s\S]*main\.ts start/,
    ],
    [
      'never starts',
      'const parent',
      "throw new Error('boom')\nconst parent",
      /✗ npm start [\s\S]*ended with 1[\s\S]*boom/,
    ],
    [
      'writes into the checkout',
      'const parent',
      "writeFileSync('new-file', '')\nconst parent",
      /✗ no file of the checkout has changed[\s\S]*new-file/,
    ],
  ] as const) {
    test(`refuses what ${what}`, async () => {
      assert.ok(PLATFORM.includes(from))
      const { status, output } = await verify(PLATFORM.replace(from, to))
      assert.equal(status, 1, output)
      assert.match(output, expected)
      assert.match(output, /^\d+ passed, 1 failed$/m)
    })
  }
})

test('wrong arguments are refused with exit code 2', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [VERIFY, ...args]).status
  assert.equal(run('--nothing'), 2)
  assert.equal(run('--root-only', '--user-only'), 2)
  assert.equal(run('--help'), 0)
})
