import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Somebody who tries the repository out: with an empty home, an empty npm cache, and nothing of this checkout. */
export type Account = {
  readonly label: string
  /** Mode 700 and the account's own, as a home often is: nobody else's servers could look into it. */
  readonly home: string
  readonly checkout: string
  readonly env: NodeJS.ProcessEnv
  /** What a command line begins with to run as this account. */
  readonly prefix: readonly string[]
  /** Gives files that this process made to the account. */
  readonly own: (path: string) => void
  readonly remove: () => void
}

// Belongs to nobody: an account needs no entry in /etc/passwd to run things.
const UID = 61_234
// Of the caller's environment only what a network may need to let npm through; above all no npm_* of the npm that runs this.
const KEPT =
  /^(TERM|LANG|LC_.*|TMPDIR|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_registry|(https?|no|all)_proxy)$/i

/** The user that runs this. */
export const currentUser = (): Account => create(isRoot() ? 'root' : 'this user', undefined)

/** An ordinary user, whom only root can become. */
export const ordinaryUser = (): Account => create('an ordinary user', UID)

export const isRoot = (): boolean => process.getuid?.() === 0

function create(label: string, uid: number | undefined): Account {
  const home = mkdtempSync(join(tmpdir(), 'tsmicro-fresh-'))
  chmodSync(home, 0o700)
  const own = (path: string) => {
    if (uid !== undefined) execFileSync('chown', ['-R', `${uid}:${uid}`, path])
  }
  const env = environment(home)
  mkdirSync(join(home, 'cache'))
  copyUserConfig(env, join(home, '.npmrc'))
  own(home)
  const prefix = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
  const remove = () => rmSync(home, { recursive: true, force: true, maxRetries: 10 })
  return { label, home, checkout: join(home, 'checkout'), env, prefix, own, remove }
}

function environment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => KEPT.test(name))
  // npm run puts this checkout's tools, and so its pinned Node, first: a user has only the machine's own.
  const path = (process.env.PATH ?? '').split(delimiter).filter(entry => !/node_modules|node-gyp-bin/.test(entry))
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter), HOME: home, npm_config_cache: join(home, 'cache') }
}

/** A machine may reach its registry only with what its npm configuration says. */
function copyUserConfig(env: NodeJS.ProcessEnv, target: string): void {
  const home = process.env.HOME ?? '/'
  const asked = execFileSync('npm', ['config', 'get', 'userconfig'], {
    env: { ...env, HOME: home },
    cwd: '/',
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const source = asked.trim()
  if (!existsSync(source)) return
  copyFileSync(source, target)
  chmodSync(target, 0o600)
}
