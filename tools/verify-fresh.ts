/** `npm run verify:fresh`: proves what the README promises, in fresh clones. See HELP. */

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Account, currentUser, isRoot, ordinaryUser } from './verify/account.ts'
import { changes } from './verify/git.ts'
import { killAllOf } from './verify/processes.ts'
import { keepsItsPromise, type Options } from './verify/promise.ts'
import { Steps } from './verify/steps.ts'

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

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nnpm run verify:fresh -- --help lists what is understood.`,
    )
    return 2
  }
  if (parsed.help) {
    console.log(HELP)
    return 0
  }
  const uncommitted = changes(parsed.source).length
  if (uncommitted > 0) console.log(`! ${uncommitted} files are not committed, and so not in the clone`)
  const steps = new Steps()
  for (const account of parsed.accounts) await verify(account, steps, parsed)
  console.log(`\n${steps.passed} passed, ${steps.failed} failed`)
  return steps.failed > 0 ? 1 : 0
}

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      'root-only': { type: 'boolean', default: false },
      'user-only': { type: 'boolean', default: false },
      'no-test': { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      source: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
      help: { type: 'boolean', default: false },
    },
  })
  const { 'root-only': rootOnly, 'user-only': userOnly, 'no-test': noTest, only, source, help } = values
  if (rootOnly && userOnly) throw new Error('--root-only and --user-only exclude each other')
  if (rootOnly && !isRoot()) throw new Error('--root-only: this user is not root')
  if (process.platform !== 'linux' && !help) throw new Error('verify:fresh looks into /proc: it works on Linux only')
  const root = isRoot() && !userOnly ? [currentUser] : []
  const user = rootOnly ? [] : [isRoot() ? ordinaryUser : currentUser]
  return { accounts: [...root, ...user], source, test: !noTest, parts: only, help }
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
