import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { instancePort } from '../src/start/plan.ts'

const PORTS = new URL('../src/start/plan.ts', import.meta.url).href
const linux = process.platform === 'linux' ? false : 'this system has no abstract sockets'

test('supervisors that start at the same time never choose the same port', { skip: linux }, async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as { port: number }
  await new Promise(resolve => holder.close(resolve))
  const choose = `
    const { instancePort } = await import(${JSON.stringify(PORTS)})
    console.log(await instancePort(${port}))
    setTimeout(() => {}, 3000)`
  const one = async () => {
    const args = ['--input-type=module', '--eval', choose]
    return Number((await promisify(execFile)(process.execPath, args)).stdout)
  }
  const chosen = await Promise.all([one(), one(), one(), one()])
  assert.equal(new Set(chosen).size, 4, String(chosen))
  assert.ok(chosen.includes(port))
})

test('a port that another program uses is not taken', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const ports = [await instancePort(port), await instancePort(port), await instancePort(undefined)]
  other.close()
  assert.equal(new Set([port, ...ports]).size, 4)
})
