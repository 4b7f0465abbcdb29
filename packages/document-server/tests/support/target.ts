import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDocumentServer } from '@tsmicro/document-server'

/** A server that the conformance suite runs against. */
export interface Target extends AsyncDisposable {
  readonly url: string
}

export async function temporaryDir(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'document-server-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export async function embeddedTarget(): Promise<Target> {
  const dir = await temporaryDir()
  const server = await startDocumentServer({ dir: dir.path, durability: 'process' })
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      await server.close()
      await dir[Symbol.asyncDispose]()
    },
  }
}

/** How to get a real MongoDB on this machine, if possible. */
export function findReal(): (() => Promise<Target>) | undefined {
  const url = process.env.MONGODB_URL
  if (url) return async () => ({ url, [Symbol.asyncDispose]: async () => undefined })
  return spawnSync('mongod', ['--version']).status === 0 ? spawnMongod : undefined
}

async function spawnMongod(): Promise<Target> {
  const dir = await temporaryDir()
  const port = await freePort()
  const child = spawn('mongod', ['--dbpath', dir.path, '--port', String(port), '--bind_ip', '127.0.0.1'], {
    stdio: 'ignore',
  })
  for (let tries = 0; !(await accepts(port)); tries++) {
    if (tries > 300 || child.exitCode !== null) throw new Error('mongod did not start')
    await sleep(100)
  }
  return {
    url: `mongodb://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      child.kill()
      if (child.exitCode === null) await once(child, 'exit')
      await dir[Symbol.asyncDispose]()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || !address) throw new Error('no address')
  return address.port
}

function accepts(port: number): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}
