import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import type { Account } from '../../tools/verify/account.ts'

const WRITTEN = join(import.meta.dirname, 'newcomer/services/shop')

export interface Newcomer {
  /** Whose empty home and npm cache are used. */
  readonly account: Account
  /** The folder with the tarballs. */
  readonly packages: string
  /** A version of the npm package `node` to run everything with. Default: the machine's own Node. */
  readonly node?: string
}

/**
 * What somebody does who has only the tarballs and the registry: creates a project, starts it, asks it, adds a service with a database, a
 * procedure and an event, calls that from the first service, and runs checks and tests.
 * @returns milliseconds from the first command to the first validated answer, with an empty cache
 */
export async function newcomer({ account, packages, node }: Newcomer): Promise<number> {
  const { home, prefix } = account
  const env: NodeJS.ProcessEnv = { ...account.env, DATA_DIR: '.data' }
  const commandOf = (args: readonly string[]) => {
    const [program = '', ...others] = [...prefix, 'npm', ...args]
    return [program, others] as const
  }
  const npm = (cwd: string, ...args: readonly string[]) =>
    promisify(execFile)(...commandOf(args), { cwd, env, maxBuffer: 2 ** 24 })
  if (node !== undefined) {
    await npm(home, 'install', '--prefix', 'node', '--no-audit', '--no-fund', '--loglevel=error', `node@${node}`)
    env.PATH = `${join(home, 'node/node_modules/.bin')}${delimiter}${env.PATH}`
  }
  const folder = join(home, 'projects')
  await mkdir(folder)
  account.own(folder)

  const start = performance.now()
  const tarballs = await readdir(packages)
  const create = join(packages, tarballs.find(name => name.startsWith('create-tsmicro-')) ?? '')
  await npm(folder, 'exec', '--yes', `--package=${create}`, '--', 'create-tsmicro', 'shop', '--packages', packages)
  const shop = join(folder, 'shop')
  const started = async (check: (address: string) => Promise<void>) => {
    const [program, args] = commandOf(['start'])
    const system = spawn(program, args, { cwd: shop, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(system, 'exit')
    try {
      await check(await addressOf(system.stdout))
    } finally {
      // As a terminal does: to all of the group.
      process.kill(-(system.pid ?? 0), 'SIGINT')
      await ended
    }
  }
  const greet = async (address: string, name: string) => {
    const answer = await fetch(new URL(`/shop/greet/${name}`, address))
    const { error, data } = (await answer.json()) as { error?: string; data?: unknown }
    return [answer.status, error ?? data]
  }
  let took = 0
  await started(async address => {
    assert.deepEqual(await greet(address, 'Ada'), [200, { text: 'Hello, Ada!' }])
    took = performance.now() - start
    assert.deepEqual(await greet(address, 'A'), [400, 'VALIDATION_FAILED'])
  })
  await npm(shop, 'run', 'check')
  assert.match((await npm(shop, 'test')).stdout, /pass 1\n/)

  const tsmicro = (...args: readonly string[]) => npm(shop, 'exec', '--no', '--', 'tsmicro', ...args)
  await tsmicro('add', 'service', 'orders', '--postgres')
  await tsmicro('add', 'procedure', 'orders/place')
  await tsmicro('add', 'event', 'orders/placed')
  for (const name of ['handlers.ts', 'module.ts', 'testing.ts'])
    await copyFile(join(WRITTEN, `${name}.txt`), join(shop, 'services/shop', name))
  account.own(shop)
  const handlers = join(shop, 'services/shop/handlers.ts')
  const right = await readFile(handlers, 'utf8')
  await writeFile(handlers, right.replace('place({ text: name }', 'place({ txet: name }'))
  await assert.rejects(npm(shop, 'run', 'check'), ({ stdout }: { stdout: string }) =>
    /handlers\.ts.* error TS\d+: .*'txet' does not exist/.test(stdout),
  )
  await writeFile(handlers, right)
  await npm(shop, 'run', 'check')
  assert.match((await npm(shop, 'test')).stdout, /pass 4\n/)
  await started(async address => {
    assert.deepEqual(await greet(address, 'Grace'), [200, { text: 'Hello, Grace!' }])
    assert.deepEqual(await greet(address, 'Mallory'), [409, 'NAME_NOT_WELCOME'])
  })
  return took
}

/** The service's address in the table, which is shown once everything is ready. */
async function addressOf(output: Readable): Promise<string> {
  let address: string | undefined
  for await (const line of createInterface({ input: output })) {
    address ??= /^ {2}shop +(http:\/\/\S+)/.exec(line)?.[1]
    if (address !== undefined && line.includes('Ctrl-C stops everything')) return address
  }
  throw new Error('it ended before everything was ready')
}
