import { execFile } from 'node:child_process'
import { chown, lchown, lstat, readdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { InfraError } from '../errors.ts'
import type { Found } from '../locate/found.ts'
import { childEnvironment } from '../process/environment.ts'

const run = promisify(execFile)

/** Under whom postgres runs: it refuses to be root. */
export interface Identity {
  readonly prefix: readonly string[]
  /** Whom its files have to belong to; undefined: whoever runs this process. */
  readonly owner?: Account
}

interface Account {
  readonly uid: number
  readonly gid: number
}

const NOBODY: Account = { uid: 65534, gid: 65534 }
/** Accounts for servers, which nobody works under; `nobody` himself is whoever else has no rights, and could end the server. */
const FOR_SERVERS = ['postgres', 'daemon']
// Root without its name: a user namespace in which nobody is mapped. Files stay root's, so it works under mode-700 folders of root's.
const NAMESPACE = ['unshare', '-U', '--']
// Where namespaces are forbidden (containers): another user, who keeps root's right to pass closed folders, and nothing else of root.
const otherUser = ({ uid, gid }: Account) => [
  ...['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
  ...['--inh-caps=-all,+dac_override', '--ambient-caps=-all,+dac_override', '--'],
]

/** An account of this machine for servers, else nobody's. initdb wants it to have a name, so that it has to be a known one. */
async function serverAccount(): Promise<Account> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map(line => line.split(':'))
  const found = FOR_SERVERS.map(name => lines.find(([first]) => first === name)).find(line => line !== undefined)
  const [uid, gid] = [Number(found?.[2]), Number(found?.[3])]
  return uid > 0 && gid > 0 ? { uid, gid } : NOBODY
}

/** initdb wants a name for whoever runs it, which an arbitrary user id, as in some containers, has not. */
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

/** Finds out how `found` can be run on the data in `dir` (which exists). */
export async function chooseIdentity(found: Found, dir: string): Promise<Identity> {
  if (process.getuid?.() !== 0) return { prefix: hasName() ? [] : NAMESPACE }
  if (await works(NAMESPACE, found, dir)) return { prefix: NAMESPACE }
  const owner = await serverAccount()
  if (await works(otherUser(owner), found, dir)) return { prefix: otherUser(owner), owner }
  throw new InfraError(
    'PostgreSQL refuses to run as root, and neither a user namespace (unshare -U) nor another user (setpriv) can be had here: ' +
      'run this as an ordinary user, or set DATABASE_URL to a server that runs already.',
  )
}

async function chownTree(path: string, account: Account): Promise<void> {
  const { uid, gid } = account
  await lchown(path, uid, gid)
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await chownTree(join(path, entry.name), account)
    else await lchown(join(path, entry.name), uid, gid)
  }
}

/** Gives the files of a data folder to the identity's owner, if they are not his yet. */
export async function handOver(dir: string, identity: Identity): Promise<void> {
  const { owner } = identity
  if (owner === undefined || (await lstat(dir)).uid === owner.uid) return
  await chownTree(dir, owner)
  await chown(dir, owner.uid, owner.gid)
}
