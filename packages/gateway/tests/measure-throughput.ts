/*
 * Proxied GETs per second, by hand: node --conditions=@tsmicro/source packages/gateway/tests/measure-throughput.ts
 * Gateway, upstream and client are three processes; 64 connections, 2 s to warm up, 5 s measured.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Pool } from 'undici'
import { startGateway } from '../src/index.ts'

const CONNECTIONS = 64

async function upstream(): Promise<void> {
  const server = createServer((_req, res) => res.setHeader('content-type', 'application/json').end('{"hello":"world"}'))
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
}

async function gateway(upstreamPort: number): Promise<void> {
  const { port } = await startGateway({
    port: 0,
    config: {
      _format_version: '3.0',
      services: [{ name: 'hello', url: `http://127.0.0.1:${upstreamPort}`, routes: [{ paths: ['/hello'] }] }],
    },
  })
  process.send?.({ port })
  process.on('message', () => process.send?.(process.cpuUsage()))
}

async function start(role: string, ...args: string[]) {
  const child = fork(import.meta.filename, [role, ...args])
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { port, child }
}

async function cpuMicroseconds(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage]
  return user + system
}

async function rate(port: number, path: string) {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS, pipelining: 1 })
  const run = async (ms: number): Promise<number> => {
    let count = 0
    const end = performance.now() + ms
    const loop = async () => {
      while (performance.now() < end) {
        const { body } = await pool.request({ path, method: 'GET' })
        await body.dump()
        count += 1
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, loop))
    return count
  }
  const warmUp = await run(2000)
  const measured = await run(5000)
  await pool.close()
  return { perSecond: measured / 5, total: warmUp + measured }
}

const [role, arg] = process.argv.slice(2)
if (role === 'upstream') await upstream()
else if (role === 'gateway') await gateway(Number(arg))
else {
  const service = await start('upstream')
  const proxy = await start('gateway', String(service.port))
  const direct = await rate(service.port, '/')
  const before = await cpuMicroseconds(proxy.child)
  const proxied = await rate(proxy.port, '/hello')
  const cpu = (await cpuMicroseconds(proxy.child)) - before
  process.stdout.write(`direct ${direct.perSecond}/s, proxied ${proxied.perSecond}/s, `)
  process.stdout.write(`gateway CPU ${Math.round(cpu / proxied.total)} µs a request\n`)
  proxy.child.kill()
  service.child.kill()
}
