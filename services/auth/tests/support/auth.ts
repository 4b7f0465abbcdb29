import assert from 'node:assert/strict'
import { NatsClient } from 'tsmicro'
import { createPasswordHasher } from 'tsmicro/auth'
import { createLogger } from 'tsmicro/telemetry'
import { createAuthService, loadEnv, type Parts } from '../../src/index.ts'
import { type Servers, startServers } from './servers.ts'

/** An auth service in this process, with what a test needs around it. */
export interface Auth extends Servers {
  readonly url: string
  /** What it logged, one JSON object per line. */
  readonly log: readonly string[]
  /** Another service on the same NATS. */
  readonly peer: NatsClient
  /** Passwords, tokens, keys and e-mail addresses that were used. None of them may be in the log when the file is done. */
  readonly secrets: Set<string>
}

export interface AuthOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly overrides?: Partial<Parts>
}

/** Real argon2id with the cheapest parameters, because its strength is not tested here. */
export const cheapPasswords = createPasswordHasher({ memoryCostKiB: 64, timeCost: 1, maxQueued: 1000 })

export async function startAuth(options: AuthOptions = {}): Promise<Auth> {
  return addAuth(await startServers(), options)
}

/** Another instance on running servers. */
export async function addAuth(servers: Servers, { env = {}, overrides = {} }: AuthOptions = {}): Promise<Auth> {
  const lines: string[] = []
  const secrets = new Set<string>()
  const log = createLogger({ name: 'auth', level: 'debug', destination: { write: line => void lines.push(line) } })
  servers.cleanUp.defer(() => assertSilentAbout(secrets, lines))
  const settings = loadEnv({ ...servers.env, ...env })
  const service = createAuthService(settings, log, { passwords: cheapPasswords, ...overrides })
  servers.cleanUp.defer(() => service.stop())
  await service.start()
  const peer = new NatsClient({ url: servers.nats.url, name: 'peer' })
  servers.cleanUp.defer(() => peer.close())
  await peer.connect()
  return { ...servers, url: service.url, log: lines, peer, secrets }
}

function assertSilentAbout(secrets: ReadonlySet<string>, lines: readonly string[]): void {
  const all = lines.join('')
  assert.ok(lines.length > 0, 'nothing was logged at all')
  const told = [...secrets].filter(secret => all.includes(secret))
  assert.deepEqual(told, [], 'secrets in the log')
  assert.doesNotMatch(all, /\$argon2|eyJ[\w-]+\.eyJ/, 'a hash or token in the log')
}
