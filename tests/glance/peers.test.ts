/** What docs/api-at-a-glance.md shows beside tsmicro does what it says there. Encore.ts only compiles: it runs in its own runtime alone. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { childEnvironment, type Server, startNats } from '@tsmicro/infra'
import { isInstalled } from '../support/installed.ts'
import type { Program } from '../support/program.ts'
import { onlyInFull } from '../support/size.ts'
import { assertForgets, assertGreets, assertHandles, run } from './support.ts'

const PEERS = fileURLToPath(new URL('peers/', import.meta.url))
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
const skip = (await isInstalled(PEERS))
  ? onlyInFull
  : 'npm ci --prefix tests/glance/peers installs what tsmicro is compared with'

type Call = (baseUrl: string, input: { name: string }) => Promise<unknown>
interface Peer {
  readonly name: string
  /** Where its programs are that Node runs: the decorators of NestJS have to be compiled. */
  readonly programs: () => string
  /** The functions of `call` that take an address. */
  readonly calls: readonly string[]
}
const RUN: readonly Peer[] = [
  { name: 'nestjs', programs: () => compiled, calls: ['overHttp'] },
  { name: 'orpc', programs: () => join(PEERS, 'orpc'), calls: ['overHttp', 'overRpc'] },
  { name: 'hono', programs: () => join(PEERS, 'hono'), calls: ['overHttp'] },
]

let nats: Server
let compiled = ''
before(async () => {
  if (skip) return
  nats = await startNats({ ephemeral: true })
  await mkdir(join(PEERS, '.tmp'), { recursive: true })
  compiled = await mkdtemp(join(PEERS, '.tmp', 'nestjs-'))
})
after(async () => {
  await nats?.stop()
  if (compiled) await rm(compiled, { recursive: true, force: true })
})

for (const name of ['nestjs', 'orpc', 'encore', 'hono']) {
  test(`${name}: the five tasks compile`, { skip }, async () => {
    const out = name === 'nestjs' ? ['--noEmit', 'false', '--rootDir', join(PEERS, name), '--outDir', compiled] : []
    const tsc = promisify(execFile)(process.execPath, [TSC, '-p', join(PEERS, name), '--pretty', 'false', ...out])
    await tsc.catch(error => assert.fail(error.stdout))
  })
}

for (const { name, programs, calls } of RUN) {
  const extension = name === 'nestjs' ? '.js' : '.ts'
  const file = (task: string) => join(programs(), `${task}${extension}`)
  const running = async (task: string, body: (program: Program) => Promise<void>) => {
    await using program = await run(file(task), nats.url)
    await body(program)
  }

  test(`${name}: serves, and is called`, { skip }, () =>
    running('serve', async program => {
      await assertGreets(program)
      const functions: Record<string, Call> = await import(pathToFileURL(file('call')).href)
      for (const call of calls) {
        assert.deepEqual(await functions[call]?.(program.url, { name: 'Ada' }), { text: 'Hello Ada' }, call)
        await assert.rejects(async () => functions[call]?.(program.url, { name: 'A' }), call)
      }
    }),
  )

  test(`${name}: publishes and handles an event`, { skip }, () => running('event', assertHandles))

  test(`${name}: users, then editors alone`, { skip }, async () => {
    await Promise.all([
      running('user', program => assertForgets(program, true)),
      running('role', program => assertForgets(program, false)),
    ])
  })

  test(`${name}: its test passes`, { skip }, async () => {
    const env = { ...childEnvironment(), NATS_URL: nats.url }
    await promisify(execFile)(process.execPath, [file('test')], { env }).catch(error => assert.fail(error.stdout))
  })
}
