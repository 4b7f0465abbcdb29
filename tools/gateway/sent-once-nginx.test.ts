import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { endChild, freePort, spawnChild } from '@tsmicro/infra'
import { MODULES, noNginx } from '../kong-plugins/nginx/nginx.ts'

/** How Kong balances: each try is Lua's to choose, and so many more are allowed as its service has `retries`. */
const confOf = (port: number, upstream: number, keepAlive: boolean) => `
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
load_module ${MODULES}/ndk_http_module.so;
load_module ${MODULES}/ngx_http_lua_module.so;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  upstream targets {
    server 0.0.0.1;
    balancer_by_lua_block {
      local balancer = require "ngx.balancer"
      ngx.ctx.try = (ngx.ctx.try or 0) + 1
      if ngx.ctx.try == 1 then balancer.set_more_tries(tonumber(ngx.var.arg_retries)) end
      balancer.set_current_peer("127.0.0.1", ${upstream})
    }
    ${keepAlive ? 'keepalive 60;' : ''}
  }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_http_version 1.1; proxy_set_header Connection ''; proxy_pass http://targets; }
  }
}
`

/** How often each request reaches an upstream that changes something and dies before it answers. */
async function timesSent(t: TestContext, keepAlive: boolean): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-sent-once-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const seen: string[] = []
  const upstream = createServer((req, res) => {
    seen.push(req.url ?? '')
    if (req.url?.startsWith('/die')) req.socket.destroy()
    else res.end()
  }).listen(0, '127.0.0.1')
  t.after(() => upstream.close())
  await once(upstream, 'listening')
  const address = upstream.address()
  const port = await freePort()
  const conf = confOf(port, typeof address === 'object' ? (address?.port ?? 0) : 0, keepAlive)
  writeFileSync(join(folder, 'nginx.conf'), conf)
  const child = await spawnChild({
    name: 'nginx',
    command: ['/usr/sbin/nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
    deathSignal: 'KILL',
  })
  t.after(() => endChild(child, 'SIGTERM', 3000))
  const send = async (method: string, path: string) => {
    const req = request({ host: '127.0.0.1', port, method, path, agent: false }).end()
    const [res] = await once(req, 'response')
    res.resume()
    await once(res, 'end')
    return res.statusCode as number
  }
  const end = Date.now() + 15_000
  // Also leaves a connection behind that may be used again.
  while ((await send('GET', '/warm?retries=0').catch(() => 0)) !== 200)
    if (child.hasExited || Date.now() > end) throw new Error('nginx does not start')
  const times: Record<string, number> = {}
  for (const method of ['GET', 'PUT', 'DELETE', 'POST', 'PATCH']) {
    for (const retries of [0, 5]) {
      await send('GET', '/warm?retries=0')
      seen.length = 0
      assert.equal(await send(method, `/die?retries=${retries}`), 502)
      times[`${method} ${retries}`] = seen.length
    }
  }
  return times
}

const skip = noNginx() ?? false

test("in Kong's engine, retries: 0 sends once what an instance did before it died; other PUTs and DELETEs go on", {
  skip,
}, async t => {
  assert.deepEqual(await timesSent(t, false), {
    'GET 0': 1,
    'GET 5': 6,
    'PUT 0': 1,
    'PUT 5': 6,
    'DELETE 0': 1,
    'DELETE 5': 6,
    'POST 0': 1,
    'POST 5': 1,
    'PATCH 0': 1,
    'PATCH 5': 1,
  })
})

test('… but not on a connection that was used before, which is why the compose files have Kong keep none', {
  skip,
}, async t => {
  const times = await timesSent(t, true)
  assert.deepEqual([times['PUT 0'], times['DELETE 0'], times['POST 0']], [2, 2, 1])
})
