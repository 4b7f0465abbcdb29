import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { KongConfig } from '@tsmicro/gateway'
import { type Child, endChild, freePort, spawnChild } from '@tsmicro/infra'

/** Where Debian and its derivatives keep nginx's modules. */
export const MODULES = '/usr/lib/nginx/modules'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
const NGINX = '/usr/sbin/nginx'
const LUA = '/usr/share/lua/5.1/resty'
const CJSON = '/usr/lib/*/lua/5.1/cjson.so'
const NEEDED = [
  NGINX,
  `${MODULES}/ndk_http_module.so`,
  `${MODULES}/ngx_http_lua_module.so`,
  `${LUA}/core.lua`,
  `${LUA}/lrucache.lua`,
]

/** Returns why nginx with Lua cannot be used here; undefined if it can. */
export function noNginx(): string | undefined {
  const missing = NEEDED.find(path => !existsSync(path)) ?? (globSync(CJSON).length === 0 ? CJSON : undefined)
  return missing && `nginx with Lua, the engine of Kong, is not installed (${missing})`
}

/** A fault around the plugins. */
export type Fault = 'digest' | 'hmac' | 'cache-throws' | 'cache-fails' | 'log-throws'

export interface Nginx extends AsyncDisposable {
  readonly port: number
  /** Always resolves to true: nginx has every fault. */
  setFault(fault: Fault, on: boolean): Promise<boolean>
}

/**
 * Starts a disposable nginx that runs the plugins in kong/plugins as Kong would. Throws if it does not start.
 *
 * @param config services with an address each, routes with plain paths, and the plugins in kong/plugins
 * @param lockTimeout seconds that a request waits for another request's question about the same key; Kong's own is 5
 */
export async function startNginx(config: KongConfig, lockTimeout = 5): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-nginx-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const log: string[] = []
  try {
    const routesFile = join(folder, 'kong.json')
    writeFileSync(routesFile, JSON.stringify(config))
    for (let attempt = 1; ; attempt += 1) {
      const [port, controlPort] = [await freePort(), await freePort()]
      writeFileSync(join(folder, 'nginx.conf'), nginxConf({ port, controlPort, routesFile, lockTimeout }))
      const child = await spawnChild({
        name: 'nginx',
        command: [NGINX, '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
        deathSignal: 'KILL',
        onLine: line => log.push(line),
      })
      const control = `http://127.0.0.1:${controlPort}`
      if (await isUp(child, control)) {
        return {
          port,
          async setFault(fault, on) {
            await (await fetch(`${control}/fault/${fault}`, { method: on ? 'PUT' : 'DELETE' })).text()
            return true
          },
          async [Symbol.asyncDispose]() {
            await endChild(child, 'SIGTERM', 3000)
            remove()
          },
        }
      }
      await endChild(child, 'SIGKILL', 1000)
      // Another process has taken one of the ports in the meantime.
      if (attempt < 3 && log.some(line => line.includes('Address already in use'))) continue
      throw new Error(`nginx does not start:\n${log.join('\n')}`)
    }
  } catch (error) {
    remove()
    throw error
  }
}

async function isUp(child: Child, url: string): Promise<boolean> {
  const end = Date.now() + 15_000
  while (!child.hasExited && Date.now() < end) {
    try {
      await (await fetch(url)).text()
      return true
    } catch {
      await pause(20)
    }
  }
  return false
}

interface NginxConf {
  readonly port: number
  /** Switches faults on and off. */
  readonly controlPort: number
  /** A `kong.yml` as JSON. */
  readonly routesFile: string
  /** Seconds that a request waits for another request's question about the same key. */
  readonly lockTimeout: number
}

/**
 * Configures nginx like Kong 3.9's template (kong/templates/nginx_kong.lua), as far as an upstream can tell. There is a single process
 * without a master: it ends as soon as it is told to, and runs as the user who started it.
 */
function nginxConf({ port, controlPort, routesFile, lockTimeout }: NginxConf): string {
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
load_module ${MODULES}/ndk_http_module.so;
load_module ${MODULES}/ngx_http_lua_module.so;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 0;
  underscores_in_headers on;
  keepalive_requests 100000;
  lua_package_path '${ROOT}/tools/kong-plugins/nginx/?.lua;${ROOT}/?.lua;;';
  lua_socket_log_errors off;
  lua_shared_dict kong_db_cache 16m;
  lua_shared_dict kong_locks 1m;
  init_by_lua_block { require("init")("${routesFile}", ${lockTimeout}) }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    set $kong_request_id kong-$request_id;
    error_page 400 404 405 408 411 412 413 414 417 494 500 501 502 503 504 505 /error_page;
    location / {
      set $upstream '';
      set $upstream_uri '';
      set $upstream_x_forwarded_for '';
      set $upstream_x_forwarded_path '';
      set $upstream_x_forwarded_prefix '';
      rewrite_by_lua_block { require("phases").rewrite() }
      access_by_lua_block { require("phases").access() }
      proxy_http_version 1.1;
      proxy_set_header Host $upstream;
      proxy_set_header Connection '';
      proxy_set_header TE '';
      proxy_set_header Proxy '';
      proxy_set_header X-Forwarded-For $upstream_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Path $upstream_x_forwarded_path;
      proxy_set_header X-Forwarded-Prefix $upstream_x_forwarded_prefix;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Kong-Request-Id $kong_request_id;
      proxy_buffering off;
      proxy_pass http://$upstream$upstream_uri;
    }
    location = /error_page {
      internal;
      content_by_lua_block { require("phases").error_page() }
    }
  }
  server {
    listen 127.0.0.1:${controlPort};
    location / { content_by_lua_block { require("faults").control() } }
  }
}
`
}
