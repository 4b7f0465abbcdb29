import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { natsAuthorization } from 'tsmicro/contract'
import users from '../../deploy/nats/permissions.json' with { type: 'json' }

const CONFIG = new URL('../../deploy/nats/nats.conf', import.meta.url)
/** The user for connections without credentials: a test that observes and takes part. */
const TEST = { user: 'test', publish: ['>'], subscribe: ['>'] }
const END = /\n {2}\]\n\}\n$/

/** Writes `deploy/nats/nats.conf` with passwords, and with the users that only the embedded gateway and tests have. */
export async function writeNatsUsers(directory: string): Promise<string> {
  const file = join(directory, 'nats.conf')
  const config = await readFile(CONFIG, 'utf8')
  const others = users.filter(({ user }) => !config.includes(`user: ${JSON.stringify(user)}`))
  const added = natsAuthorization([...others, TEST], user => JSON.stringify(passwordOf(user)))
  const [, blocks = ''] = added.split('users: [')
  if (!END.test(config)) throw new Error('deploy/nats/nats.conf does not end with its users')
  // The server looks for names in its configuration first, then in its environment.
  const passwords = users
    .filter(each => !others.includes(each))
    .map(({ user }) => `${user.toUpperCase()}_NATS_PASSWORD: ${JSON.stringify(passwordOf(user))}`)
  const text = config.replace(END, () => blocks)
  await writeFile(file, `${passwords.join('\n')}\n${text}no_auth_user: ${TEST.user}\n`)
  return file
}

/** The server's URL as a user has it. */
export function natsUrlFor(
  user: 'auth' | 'blog' | 'gateway' | 'operator' | 'streams' | 'explorer' | 'observer',
  url: string,
): string {
  return url.replace('://', `://${user}:${passwordOf(user)}@`)
}

function passwordOf(user: string): string {
  return `${user}-for-tests`
}
