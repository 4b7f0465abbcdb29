/** `npm run verify:fresh`: proves what the README promises, in fresh clones. See HELP. */

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCommand } from './command-line.ts'
import { type Account, currentUser, isRoot, ordinaryUser } from './verify/account.ts'
import { killAllOf } from './verify/processes.ts'
import { changes, keepsItsPromise, type Options, Steps } from './verify/promise.ts'

const HELP = `npm run verify:fresh [-- options]

Clones the checked-out commit into a temporary home with an empty npm cache, and does there what the README says:
npm ci, npm start, a request, Ctrl-C, npm start again with the data still there, kill -9, npm test.
Root does it twice: as itself, and as an ordinary user who has nothing but the clone.

  --root-only        only as root
  --user-only        only as an ordinary user (this user, unless this is root)
  --no-test          without npm test in the clone
  --only <path>      only tests whose path contains this; may be repeated
  --source <folder>  another repository than this one

Linux only: it looks into /proc for what is left behind. Needs git; as root also setpriv of util-linux.
Exit code: 0 when everything passed; 1 when a step failed; 2 for wrong arguments.`

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

await runCommand('npm run verify:fresh', HELP, async args => {
  const { accounts, ...options } = parse(args)
  const uncommitted = changes(options.source).length
  if (uncommitted > 0) console.log(`! ${uncommitted} files are not committed, and so not in the clone`)
  const steps = new Steps()
  for (const account of accounts) await verify(account, steps, options)
  console.log(`\n${steps.passed} passed, ${steps.failed} failed`)
  return steps.failed > 0 ? 1 : 0
})

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      'root-only': { type: 'boolean', default: false },
      'user-only': { type: 'boolean', default: false },
      'no-test': { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      source: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    },
  })
  const { 'root-only': rootOnly, 'user-only': userOnly, 'no-test': noTest, only, source } = values
  if (rootOnly && userOnly) throw new Error('--root-only and --user-only exclude each other')
  if (rootOnly && !isRoot()) throw new Error('--root-only: this user is not root')
  if (process.platform !== 'linux') throw new Error('verify:fresh looks into /proc: it works on Linux only')
  const root = isRoot() && !userOnly ? [currentUser] : []
  const user = rootOnly ? [] : [isRoot() ? ordinaryUser : currentUser]
  return { accounts: [...root, ...user], source, test: !noTest, parts: only }
}

/** One account from its first file to its last; whatever happens, nothing of it stays. */
async function verify(create: () => Account, steps: Steps, options: Options): Promise<void> {
  const account = create()
  const remove = () => {
    killAllOf(account.home)
    account.remove()
  }
  const interrupted = () => {
    remove()
    process.exit(130)
  }
  for (const signal of SIGNALS) process.once(signal, interrupted)
  console.log(`\nAs ${account.label}, in ${account.home}`)
  try {
    await keepsItsPromise(account, steps, options)
  } catch {
    // Told by the step that failed; what comes after it builds on it.
    console.log('  the steps after it were not tried')
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupted)
    remove()
  }
}
