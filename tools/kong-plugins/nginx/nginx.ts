import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { KongConfig } from '@tsmicro/gateway'
import { type Child, endChild, freePort, spawnChild } from '@tsmicro/infra'
import { MODULES, nginxConf } from './nginx-conf.ts'

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

/** Why there is no nginx with Lua to test on; undefined when there is one. */
export function noNginx(): string | undefined {
  const missing = NEEDED.find(path => !existsSync(path)) ?? (globSync(CJSON).length === 0 ? CJSON : undefined)
  return missing && `nginx with Lua, the engine of Kong, is not installed (${missing})`
}

export interface NginxOptions {
  /** Services with an address each, and routes with plain paths; the plugins are those of kong/plugins. */
  readonly config: KongConfig
  /** Seconds; Kong's own is 5. */
  readonly lockTimeout?: number
}

/** A fault of what surrounds the plugins. */
export type Fault = 'digest' | 'hmac' | 'cache-throws' | 'cache-fails' | 'log-throws'

export interface Nginx extends AsyncDisposable {
  readonly port: number
  readonly pid: number
  /** What it has written. */
  readonly log: readonly string[]
  setFault(fault: Fault, on: boolean): Promise<void>
}

/** A disposable nginx that runs the plugins of kong/plugins as Kong would. Throws when it does not start. */
export async function startNginx({ config, lockTimeout = 5 }: NginxOptions): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-nginx-'))
  const log: string[] = []
  try {
    const routesFile = join(folder, 'kong.json')
    writeFileSync(routesFile, JSON.stringify(config))
    for (let attempt = 1; ; attempt += 1) {
      const [port, controlPort] = [await freePort(), await freePort()]
      writeFileSync(join(folder, 'nginx.conf'), nginxConf({ root: ROOT, port, controlPort, routesFile, lockTimeout }))
      const child = await spawnChild({
        name: 'nginx',
        command: [NGINX, '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
        deathSignal: 'KILL',
        onLine: line => log.push(line),
      })
      if (await isUp(child, controlPort)) return nginxOf({ child, folder, port, controlPort, log })
      await endChild(child, 'SIGKILL', 1000)
      // Somebody took one of the ports meanwhile.
      if (attempt < 3 && log.some(line => line.includes('Address already in use'))) continue
      throw new Error(`nginx does not start:\n${log.join('\n')}`)
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

async function isUp(child: Child, port: number): Promise<boolean> {
  const end = Date.now() + 15_000
  while (!child.hasExited && Date.now() < end) {
    try {
      await (await fetch(`http://127.0.0.1:${port}/`)).text()
      return true
    } catch {
      await pause(20)
    }
  }
  return false
}

interface Running {
  readonly child: Child
  readonly folder: string
  readonly port: number
  readonly controlPort: number
  readonly log: readonly string[]
}

function nginxOf({ child, folder, port, controlPort, log }: Running): Nginx {
  return {
    port,
    pid: child.pid,
    log,
    async setFault(fault, on) {
      await (await fetch(`http://127.0.0.1:${controlPort}/fault/${fault}`, { method: on ? 'PUT' : 'DELETE' })).text()
    },
    async [Symbol.asyncDispose]() {
      await endChild(child, 'SIGTERM', 3000)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
