import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivately } from '@tsmicro/infra'
import type { NatsConfig, SystemConfig } from '../config/types.ts'

/** The users of the embedded NATS server and the configuration that tells it of them. */
export interface NatsUsers {
  /** Path of nats-server's configuration file. */
  readonly file: string
  readonly passwords: Readonly<Record<string, string>>
  /** As whom `system.nats` comes: undefined where the configuration names the users. */
  readonly onlyUser: string | undefined
}

const ONLY_USER = 'app'
const UNNAMED: NatsConfig = {
  users: [ONLY_USER],
  authorization: passwordOf => `authorization { user: ${ONLY_USER}, password: ${passwordOf(ONLY_USER)} }\n`,
}

/**
 * Makes passwords on the first start and keeps them; writes the configuration again each time, as contracts change. Where the system
 * names no users there is one who may do everything: nobody else on the machine may do anything.
 */
export async function prepareNatsUsers({ infra, nats }: SystemConfig, dataDir: string): Promise<NatsUsers | undefined> {
  if (!infra.includes('nats')) return undefined
  const { users, authorization } = nats ?? UNNAMED
  const directory = join(dataDir, 'nats-users')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const passwordFile = join(directory, 'passwords.json')
  const kept = await readPasswords(passwordFile)
  const passwords = Object.fromEntries(users.map(user => [user, kept[user] ?? randomBytes(24).toString('base64url')]))
  await writePrivately(passwordFile, JSON.stringify(passwords))
  const file = join(directory, 'nats.conf')
  await writePrivately(
    file,
    authorization(user => JSON.stringify(passwords[user])),
  )
  return { file, passwords, onlyUser: nats === undefined ? ONLY_USER : undefined }
}

async function readPasswords(file: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
  } catch (error) {
    // Not there yet, or spoiled: nobody else keeps these passwords, so new ones are as good.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}
