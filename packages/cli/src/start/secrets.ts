import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keptSecret as secretIn, writePrivately } from '@tsmicro/infra'
import { natsAuthorization } from 'tsmicro/contract'
import { natsObserverOf } from 'tsmicro/internal'
import type { NatsConfig, SystemConfig } from '../config-types.ts'

/** The users of the embedded NATS server, and its configuration. */
export interface NatsUsers {
  /** The path of nats-server's configuration file. */
  readonly file: string
  readonly passwords: Readonly<Record<string, string>>
  /** The user in `system.nats`. Undefined if the configuration names the users. */
  readonly onlyUser: string | undefined
  /** The user as which people look at the services. */
  readonly observer: string | undefined
}

const ONLY_USER = 'app'
const OBSERVER = 'observer'
const UNNAMED: NatsConfig = {
  users: [ONLY_USER, OBSERVER],
  observer: OBSERVER,
  authorization: passwordOf =>
    natsAuthorization([{ user: ONLY_USER, publish: ['>'], subscribe: ['>'] }, natsObserverOf(OBSERVER)], passwordOf),
}

/**
 * Creates passwords on the first start and keeps them. Writes the configuration again each time, as contracts change. If the system
 * names no users, there is one that may do everything, so that nobody else on the machine may do anything, and one that may look.
 */
export async function prepareNatsUsers({ infra, nats }: SystemConfig, dataDir: string): Promise<NatsUsers | undefined> {
  if (!infra.includes('nats')) return undefined
  const { users, observer, authorization } = nats ?? UNNAMED
  const directory = join(dataDir, 'nats-users')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const passwordFile = join(directory, 'passwords.json')
  const kept = await readPasswords(passwordFile)
  const passwords = Object.fromEntries(users.map(user => [user, kept[user] ?? randomBytes(24).toString('base64url')]))
  writePrivately(passwordFile, JSON.stringify(passwords))
  const file = join(directory, 'nats.conf')
  const text = authorization(user => JSON.stringify(passwords[user]))
  writePrivately(file, text)
  return { file, passwords, onlyUser: nats === undefined ? ONLY_USER : undefined, observer }
}

async function readPasswords(file: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
  } catch (error) {
    // Missing or damaged: nothing else stores these passwords, so new ones will do.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/**
 * A random secret of the system, created when it is first needed and stored in the data folder, for its owner alone.
 * 43 characters, 32 bytes.
 *
 * @param name a letter, then letters, digits and dashes
 * @example
 * gateway: { entry, config, env: ({ dataDir }) => ({ GATEWAY_SECRET: keptSecret(dataDir, 'gateway') }) }
 */
export function keptSecret(dataDir: string, name: string): string {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new TypeError(`"${name}" cannot be the name of a secret`)
  const folder = join(dataDir, 'secrets')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return secretIn(join(folder, name), 32)
}
