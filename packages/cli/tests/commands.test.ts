import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { descendants } from '@tsmicro/infra'
import { defineSystem } from '../src/index.ts'
import { until } from './support/supervisor.ts'

const LAUNCHER = fileURLToPath(new URL('../bin/tsmicro.js', import.meta.url))
const CONFIG = fileURLToPath(new URL('./fixtures/commands/tsmicro.config.ts', import.meta.url))

/** Runs the installed command in another folder, with the given `node`. */
function launch(args: readonly string[], env: NodeJS.ProcessEnv = {}, node = process.execPath) {
  const child = spawn(node, [LAUNCHER, ...args], { cwd: tmpdir(), env: { ...process.env, ...env } })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => {
    said.stdout += chunk
  })
  child.stderr.on('data', chunk => {
    said.stderr += chunk
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  return { child, said, ended }
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = '', node = process.execPath) {
  const { child, said, ended } = launch(args, env, node)
  child.stdin.end(input)
  return { ...(await ended), ...said }
}

/** Starts a program that waits, and lists every process below the command. */
async function waiting() {
  const launched = launch(['--config', CONFIG, 'wait'])
  await until('it to wait', () => launched.said.stdout.includes('waiting'))
  return { ...launched, pids: descendants(launched.child.pid ?? 0) }
}

test('a command of the system gets its arguments, input, folder and environment, and its exit code becomes ours', async () => {
  const args = ['--help', '--config', 'x', '--', '-v', 'two words']
  const { code, stdout } = await run(['--config', CONFIG, 'tell', ...args], { COLOUR: 'red' }, 'typed')
  assert.equal(code, 7)
  const { major, ...told } = JSON.parse(stdout)
  assert.deepEqual(told, { args, COLOUR: 'red', SHAPE: 'round', cwd: realpathSync(tmpdir()), input: 'typed' })
  assert.ok(Number(major) >= 22)
})

test('--help lists the commands of the system, and an unknown one is refused', async () => {
  const help = await run(['--config', CONFIG, '--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /^ {2}tell +shows how it was run\n {2}wait +waits for a signal$/m)
  assert.doesNotMatch((await run(['--help'])).stdout, /Commands of this system/)
  const unknown = await run(['--config', CONFIG, 'tel'])
  assert.deepEqual([unknown.code, unknown.stderr], [2, 'tsmicro: unknown command "tel" (see tsmicro --help)\n'])
  const fresh = await run(['--fresh', '--config', CONFIG, 'tell'])
  assert.deepEqual(
    [fresh.code, fresh.stderr],
    [2, 'tsmicro: --fresh belongs to tsmicro start and tsmicro dev (see tsmicro --help)\n'],
  )
  const nowhere = await run(['tell'])
  assert.equal(nowhere.code, 1)
  assert.match(nowhere.stderr, /^tsmicro: \S+ does not exist: run this in the folder of tsmicro\.config\.ts/)
})

test('signals are forwarded to the program, which decides how it ends, and nothing is left behind', async () => {
  const { child, said, ended, pids } = await waiting()
  assert.equal(pids.length, 2)
  child.kill('SIGTERM')
  assert.deepEqual(await ended, { code: 3, signal: null })
  assert.match(said.stdout, /asked to end/)
  await until('all to have ended', () => !pids.some(isAlive))
})

test('if a signal ends the program, the exit code is 128 plus its number', async () => {
  const { ended, pids } = await waiting()
  process.kill(pids.at(-1) ?? 0, 'SIGKILL')
  assert.deepEqual(await ended, { code: 137, signal: null })
})

test('if the command is killed, its program is asked to end', async () => {
  const { child, said, ended, pids } = await waiting()
  child.kill('SIGKILL')
  await ended
  assert.match(said.stdout, /asked to end/)
  await until('all to have ended', () => !pids.some(isAlive))
})

const installed = otherNode()
test('an older Node than the pinned one can run the command', {
  skip: installed ? false : 'no other Node is installed',
}, async () => {
  const { code, stdout, stderr } = await run(['--config', CONFIG, 'tell'], {}, '', installed)
  assert.equal(code, 7, stderr)
  assert.equal(JSON.parse(stdout).major, process.versions.node.split('.')[0])
})

/** A Node on PATH other than the one that runs this. */
function otherNode(): string | undefined {
  const folders = (process.env.PATH ?? '').split(':').filter(folder => !folder.includes('node_modules'))
  for (const folder of folders) {
    try {
      const version = execFileSync(`${folder}/node`, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] })
      if (version.toString().trim() !== process.version) return `${folder}/node`
    } catch {
      // none here
    }
  }
  return undefined
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('defineSystem refuses invalid commands', () => {
  const system = (name: string, entry: string, description: string) => () =>
    defineSystem({ infra: [], services: {}, commands: { [name]: { entry, description } } })
  assert.throws(system('start', 'x.ts', 'y'), /"start" cannot be the name of a command/)
  assert.throws(system('Up', 'x.ts', 'y'), /cannot be the name of a command/)
  assert.throws(system('up', '', 'y'), /entry is missing/)
  assert.throws(system('up', 'x.ts', 'two\nlines'), /one line/)
})
