/** `npm test`: runs the workspace's tests, each file or group of files in a process of its own. See HELP. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCommand } from './command-line.ts'
import { discover, type TestFile } from './test/discover.ts'
import { alone, grouped } from './test/groups.ts'
import { bundleLibraries } from './test/libraries.ts'
import { startLoad } from './test/load.ts'
import { closing, failed, fileReport } from './test/report.ts'
import { type FileResult, type Options, runFiles } from './test/run-files.ts'

const HELP = `npm test [-- [part…] [--only <path>]… [options]]

Runs every *.test.ts of packages, contracts, services, tools, tests and bench with node's test runner.

  part                 only a part of the workspace: gateway, tsmicro, tools, tests, bench, packages/infra, services/auth …
  --only <path>        only files whose path contains this; may be repeated
  --name <pattern>     only tests whose name matches this regular expression
  --concurrency <n>    files at the same time (default: 3 per core, at most 8)
  --limit <seconds>    time that one file may take before it is killed (default: 1200)
  --load <n>           beside n processes that compute without end: a busy machine must make no test fail
  --root <folder>      another workspace than this one
  --list               print the files and run nothing

Generated runs have a tenth of their size, and files that cost much for what others show as well are left out unless --only names
them; small files share a process unless --only names them. With CI=true in the environment everything runs in full, each file alone.

Examples: npm test -- gateway          npm test -- --only auth/tokens --name expired
Exit code: 0 when all passed; 1 when a test failed or none ran; 2 for wrong arguments.`

await runCommand('npm test', HELP, args => run(parse(args)))

function parse(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      name: { type: 'string' },
      // Tests mostly wait for servers: on two busy cores 533 tests took 104 s with 2 files at a time, 82 s with 4.
      concurrency: { type: 'string', default: String(Math.min(8, availableParallelism() * 3)) },
      limit: { type: 'string', default: '1200' },
      load: { type: 'string' },
      root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
      list: { type: 'boolean', default: false },
    },
  })
}

async function run({ values, positionals }: ReturnType<typeof parse>): Promise<number> {
  const chosen = select(discover(values.root), positionals, values.only)
  const leftOut = process.env.CI || values.only.length > 0 ? [] : chosen.filter(file => file.ciAlone !== undefined)
  const files = chosen.filter(file => !leftOut.includes(file))
  if (values.list) {
    console.log(files.map(({ path }) => path).join('\n'))
    return 0
  }
  const concurrency = Math.ceil(positive('--concurrency', values.concurrency))
  const limitMs = positive('--limit', values.limit) * 1000
  const began = performance.now()
  using _load = values.load === undefined ? undefined : startLoad(positive('--load', values.load))
  const stop = interruption()
  const name = values.name === undefined ? {} : { name: values.name }
  // CI loads the libraries as they are installed, and gives each file a process of its own.
  const preload = process.env.CI ? undefined : await bundleLibraries(values.root)
  const preloaded = preload === undefined ? {} : { preload }
  const groups = process.env.CI || values.only.length > 0 ? files.map(alone) : grouped(files)
  const options: Options = { root: values.root, limitMs, graceMs: 5000, signal: stop, ...name, ...preloaded }
  console.log(`${files.length} test files, ${concurrency} at a time`)
  const results: FileResult[] = []
  // Each worker takes the next ones, so that what takes long holds up no other.
  const queue = groups.values()
  const work = async () => {
    for (const group of queue) {
      if (stop.aborted) return
      const result = await runFiles(group, options)
      results.push(result)
      console.log(fileReport(result))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  console.log(closing(results, leftOut, performance.now() - began))
  const ran = results.some(({ counts }) => counts.tests > counts.skipped)
  if (!ran) console.error('No test ran.')
  return stop.aborted ? 130 : ran && !results.some(failed) ? 0 : 1
}

function select(files: readonly TestFile[], parts: readonly string[], only: readonly string[]): TestFile[] {
  const known = new Set(files.flatMap(({ names }) => names))
  const unknown = parts.filter(part => !known.has(part))
  if (unknown.length > 0)
    throw new Error(`No tests in ${unknown.join(', ')}; there are: ${[...known].sort().join(', ')}`)
  const chosen = files
    .filter(({ names }) => parts.length === 0 || parts.some(part => names.includes(part)))
    .filter(({ path }) => only.length === 0 || only.some(part => path.includes(part)))
  if (chosen.length === 0) throw new Error(`No test file matches${only.map(part => ` --only ${part}`).join('')}`)
  return chosen
}

function positive(flag: string, value: string): number {
  const number = Number(value)
  if (!(number > 0)) throw new Error(`${flag} takes a number greater than 0, not “${value}”`)
  return number
}

/**
 * Aborted by the first Ctrl-C or SIGTERM: test processes have groups of their own, so the terminal does not reach them. npm passes on
 * a signal that its whole group has received, so the second one must not end the runner before it has ended them.
 */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  return controller.signal
}
