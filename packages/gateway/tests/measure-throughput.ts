/*
 * Proxied GETs per second, by hand: node --conditions=@tsmicro/source packages/gateway/tests/measure-throughput.ts
 * Gateway, upstream and client are three processes; 64 connections, 2 s to warm up, 5 s measured.
 */
import { fork } from 'node:child_process'
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
}

async function start(role: string, ...args: string[]) {
  const child = fork(import.meta.filename, [role, ...args])
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { port, child }
}

async function rate(port: number, path: string): Promise<number> {
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
    return (count / ms) * 1000
  }
  await run(2000)
  const result = await run(5000)
  await pool.close()
  return Math.round(result)
}

const [role, arg] = process.argv.slice(2)
if (role === 'upstream') await upstream()
else if (role === 'gateway') await gateway(Number(arg))
else {
  const service = await start('upstream')
  const proxy = await start('gateway', String(service.port))
  const direct = await rate(service.port, '/')
  const before = process.resourceUsage()
  const proxied = await rate(proxy.port, '/hello')
  process.stdout.write(
    `direct ${direct}/s, proxied ${proxied}/s, client CPU ${process.resourceUsage().userCPUTime - before.userCPUTime} µs\n`,
  )
  proxy.child.kill()
  service.child.kill()
}
