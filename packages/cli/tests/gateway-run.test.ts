import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commandLine, Supervisor, tempDir, until } from './support/supervisor.ts'

const BIN = fileURLToPath(new URL('../bin/tsmicro.js', import.meta.url))

async function service(answer: (res: ServerResponse) => void) {
  const server = createServer((_req, res) => answer(res)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const authority = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const dispose = () => {
    server.closeAllConnections()
    server.close()
  }
  return { authority, [Symbol.dispose]: dispose }
}

function kongFile(path: string, more = ''): string {
  const file = join(path, 'kong.yml')
  writeFileSync(
    file,
    `_format_version: "3.0"\nservices:\n- name: hello\n  url: http://hello:80\n  routes:\n  - paths: [/hello]\n${more}`,
  )
  return file
}

/** What the gateway reports when it listens. */
async function listening(gateway: Supervisor) {
  const [line] = await gateway.says(/^\{.*"gateway listening".*\}$/m)
  return JSON.parse(line) as { url: string; pid: number; adminUrl?: string }
}

test('it has its own --help, and unknown, missing or malformed options are one line and exit code 2', async () => {
  await using help = new Supervisor(['gateway', 'run', '--help'], {})
  assert.equal(await help.ended(), 0)
  assert.match(help.output, /Usage: tsmicro gateway run --config FILE \[options\][\s\S]*--resolve NAME:PORT=ADDR:PORT/)
  for (const [args, fault] of [
    [['--confg', 'x'], "Unknown option '--confg'"],
    [[], '--config FILE is required'],
    [['--config', 'x', 'y'], "Unexpected argument 'y'"],
    [['--config', 'x', '--port', '-1'], '--port'],
    [['--config', 'x', '--resolve', 'hello'], '--resolve hello must look like auth:8001=127.0.0.1:54321'],
  ] as const) {
    await using wrong = new Supervisor(['gateway', 'run', ...args], {})
    assert.equal(await wrong.ended(), 2, fault)
    assert.match(wrong.output, /^tsmicro gateway run: [^\n]+ \(see --help\)\n$/)
    assert.ok(wrong.output.includes(fault), wrong.output)
  }
  await using before = new Supervisor(['--fresh', 'gateway', 'run'], {})
  assert.equal(await before.ended(), 2)
})

test('an error in the config is reported with its file and line, exit code 1', async () => {
  using dir = tempDir()
  const file = kongFile(dir.path, 'certificates: []\n')
  await using gateway = new Supervisor(['gateway', 'run', '--config', file, '--port', '0'], {})
  assert.equal(await gateway.ended(), 1)
  assert.match(gateway.output, /^tsmicro gateway run: config \S+kong\.yml:7 is invalid at certificates: [^\n]+\n$/)
})

test('the command itself serves, reloads on SIGHUP and drains on SIGTERM', async () => {
  using dir = tempDir()
  using hello = await service(res => res.end('hello'))
  const file = kongFile(dir.path)
  const args = ['--config', file, '--port', '0', '--admin-port', '0', '--resolve', `hello:80=${hello.authority}`]
  const token = join(dir.path, 'token')
  args.push('--admin-token-file', token)
  const child = spawn(process.execPath, [BIN, 'gateway', 'run', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  try {
    await until('it listens', () => output.includes('gateway listening'))
    const { url, adminUrl } = JSON.parse(output) as { url: string; adminUrl: string }
    assert.equal(await (await fetch(`${url}/hello`)).text(), 'hello')
    assert.equal((await fetch(`${adminUrl}/upstreams`)).status, 401)
    const headers = { authorization: `Bearer ${readFileSync(token, 'utf8').trim()}` }
    assert.equal((await fetch(`${adminUrl}/upstreams`, { headers })).status, 200)
    kongFile(dir.path, '  - paths: [/again]\n')
    child.kill('SIGHUP')
    await until('it has loaded', () => output.includes('config loaded again'))
    assert.equal(await (await fetch(`${url}/again`)).text(), 'hello')
    kongFile(dir.path, 'vaults: []\n')
    child.kill('SIGHUP')
    await until('it has refused', () =>
      /the old one stays in use: config \S+kong\.yml:7 is invalid at vaults/.test(output),
    )
    assert.equal(await (await fetch(`${url}/again`)).text(), 'hello')
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [0, null])
    assert.match(output, /"gateway closed"[^\n]*\n$/)
  } finally {
    child.kill('SIGKILL')
  }
})

test('a second signal does not wait for requests in progress', async () => {
  using dir = tempDir()
  let asked = 0
  using slow = await service(() => (asked += 1))
  const file = kongFile(dir.path)
  const args = ['gateway', 'run', '--config', file, '--port', '0', '--resolve', `hello:80=${slow.authority}`]
  await using gateway = new Supervisor(args, {})
  const { url, pid } = await listening(gateway)
  const waiting = assert.rejects(fetch(`${url}/hello`))
  await until('the request is in progress', () => asked === 1)
  process.kill(pid, 'SIGINT')
  await gateway.says(/gateway draining/)
  // A signal right after the first counts as the same keystroke.
  interrupt(pid)
  await until('it ends', () => {
    interrupt(pid)
    return gateway.process.exitCode !== null || gateway.process.signalCode !== null
  })
  // The last of them may arrive when it no longer handles signals.
  assert.ok((await gateway.ended()) === 1 || gateway.process.signalCode === 'SIGINT')
  await waiting
})

/** It may already have ended, as the event arrives later. */
function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

test('it ends when its parent has ended', async () => {
  using dir = tempDir()
  const [command, args] = commandLine('gateway', 'run', '--config', kongFile(dir.path), '--port', '0')
  const middle = `const { spawn } = require('node:child_process'); spawn(${JSON.stringify(command)}, ${JSON.stringify(args)}, { stdio: 'inherit' })`
  const parent = spawn(process.execPath, ['-e', middle], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  parent.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  try {
    await until('it listens', () => output.includes('gateway listening'))
    const { url } = JSON.parse(output) as { url: string }
    parent.kill('SIGKILL')
    await until('the gateway has ended', () =>
      fetch(url).then(
        () => false,
        () => true,
      ),
    )
    await until('it has closed in order', () => output.includes('gateway closed'))
  } finally {
    parent.kill('SIGKILL')
  }
})
