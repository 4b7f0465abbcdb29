import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NatsConfig } from '../config/types.ts'

/** The users of the embedded NATS server and the configuration that tells it of them. */
export interface NatsUsers {
  /** Path of nats-server's configuration file. */
  readonly file: string
  readonly passwords: Readonly<Record<string, string>>
}

const PRIVATE = { mode: 0o600 }

/** Makes passwords on the first start and keeps them; writes the configuration anew each time, as contracts change. */
export async function prepareNatsUsers({ users, authorization }: NatsConfig, dataDir: string): Promise<NatsUsers> {
  const directory = join(dataDir, 'nats-users')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const passwordFile = join(directory, 'passwords.json')
  const kept = await readPasswords(passwordFile)
  const passwords = Object.fromEntries(users.map(user => [user, kept[user] ?? randomBytes(24).toString('base64url')]))
  await writeFile(passwordFile, JSON.stringify(passwords), PRIVATE)
  const file = join(directory, 'nats.conf')
  await writeFile(
    file,
    authorization(user => JSON.stringify(passwords[user])),
    PRIVATE,
  )
  return { file, passwords }
}

async function readPasswords(file: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
  } catch (error) {
    // Not there yet, or cut short by a crash: nobody else keeps these passwords, so new ones are as good.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}
