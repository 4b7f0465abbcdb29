import { execFile } from 'node:child_process'
import { lchown, lstat, readdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { InfraError } from '../errors.ts'
import type { Found } from '../locate.ts'
import { childEnvironment } from '../process/child.ts'

const run = promisify(execFile)

/** The identity that postgres runs under, as it refuses to run as root. */
export interface Identity {
  /** The command that runs another one under this identity. */
  readonly prefix: readonly string[]
  /** The account that has to own its files. Undefined: the user of this process. */
  readonly owner?: Account
}

interface Account {
  readonly uid: number
  readonly gid: number
}

const NOBODY: Account = { uid: 65534, gid: 65534 }
/** Accounts for servers, which no person uses. `nobody` comes last: other programs without rights run as `nobody` and could end the server. */
const FOR_SERVERS = ['postgres', 'daemon']
// Root without its name: a user namespace without any mapping. The files still belong to root, so it works below root's folders of mode 700.
const NAMESPACE = ['unshare', '-U', '--']
// Where namespaces are forbidden (containers): another user that keeps root's right to enter closed folders, but nothing else.
const otherUser = ({ uid, gid }: Account) => [
  ...['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
  ...['--inh-caps=-all,+dac_override', '--ambient-caps=-all,+dac_override', '--'],
]

/** This machine's account for servers, else `nobody`. It has to be in /etc/passwd, as initdb needs its name. */
async function serverAccount(): Promise<Account> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map(line => line.split(':'))
  const found = FOR_SERVERS.map(name => lines.find(([first]) => first === name)).find(line => line !== undefined)
  const [uid, gid] = [Number(found?.[2]), Number(found?.[3])]
  return uid > 0 && gid > 0 ? { uid, gid } : NOBODY
}

/** Whether this user has a name. initdb needs one, but an arbitrary user id, as in some containers, has none. */
function hasName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

async function works(prefix: readonly string[], found: Found, dir: string): Promise<boolean> {
  const [command = '', ...args] = [...prefix, 'sh', '-c', 'test -w "$1" && "$0" --version', found.binary, dir]
  try {
    await run(command, args, { env: { ...childEnvironment(), ...found.env }, timeout: 10_000 })
    return true
  } catch {
    return false
  }
}

/** Finds out how `found` can run on the data in `dir`, which exists. @throws InfraError if it cannot */
export async function chooseIdentity(found: Found, dir: string): Promise<Identity> {
  if (process.getuid?.() !== 0) return { prefix: hasName() ? [] : NAMESPACE }
  if (await works(NAMESPACE, found, dir)) return { prefix: NAMESPACE }
  const owner = await serverAccount()
  if (await works(otherUser(owner), found, dir)) return { prefix: otherUser(owner), owner }
  throw new InfraError(
    'PostgreSQL refuses to run as root, and neither a user namespace (unshare -U) nor another user (setpriv) is possible here: ' +
      'run this as an ordinary user, or set DATABASE_URL to a server that is already running.',
  )
}

/** Gives the files of a data folder to the identity's owner, unless they already belong to it. The folder itself comes last. */
export async function handOver(dir: string, { owner }: Identity): Promise<void> {
  if (owner === undefined || (await lstat(dir)).uid === owner.uid) return
  for (const entry of await readdir(dir, { recursive: true })) await lchown(join(dir, entry), owner.uid, owner.gid)
  await lchown(dir, owner.uid, owner.gid)
}
