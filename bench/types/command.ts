import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildAll } from '../../tools/build/packages.ts'
import { ROOT } from '../install.ts'
import { contracts, libraries, plain, plainBeside, schemas } from './programs.ts'

const HELP = `npm run bench -- types [options]

The processor time that the compiler needs to check contracts with their handlers and calls, beside the same in plain types. It builds tsmicro first, so that
declarations are read as in other projects.

  --contracts <n>      default: 50
  --procedures <n>     of each contract; default: 10
  --rounds <n>         default: 5; figures are medians
  --json <file>        writes the figures as JSON
  --help               this`

interface Figures {
  readonly seconds: number
  readonly megabytes: number
}

const PROGRAMS = {
  'plain types': plain,
  'plain types, libraries loaded': plainBeside,
  'types of TypeBox schemas': schemas,
  'libraries alone': libraries,
  contracts,
}

/** `npm run bench -- types`. Returns the exit code. */
export async function types(args: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const
  const options = { contracts: text, procedures: text, rounds: text, json: text, help: { type: 'boolean' } } as const
  const { values } = parseArgs({ args: [...args], options })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const size = { contracts: Number(values.contracts ?? 50), procedures: Number(values.procedures ?? 10) }
  const root = fileURLToPath(ROOT)
  console.error('Building the packages')
  await buildAll(root, () => {})
  const folder = join(root, 'dist/bench-types')
  rmSync(folder, { recursive: true, force: true })
  const names = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]
  for (const name of names) write(join(folder, name), PROGRAMS[name](size))
  const rounds = Array.from({ length: Number(values.rounds ?? 5) }, () =>
    Object.fromEntries(names.map(name => [name, check(join(folder, name))])),
  )
  const figures = Object.fromEntries(
    names.map(name => {
      const of = (key: keyof Figures) => median(rounds.map(round => round[name]?.[key] ?? Number.NaN))
      return [name, { seconds: of('seconds'), megabytes: of('megabytes') }]
    }),
  )
  report(figures, size)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ size, figures }, undefined, 2)}\n`)
  return 0
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const compilerOptions = {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: ['node'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
}

/**
 * Processor time, which a busy machine hardly changes.
 * @throws Error if the program has a type error: then something else was measured
 */
function check(folder: string): Figures {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const options = ['--extendedDiagnostics', '--pretty', 'false', '--singleThreaded']
  // The second line of `times` is about the shell's children: 0m1.25s 0m0.10s, user and system.
  const script = '"$@" && times'
  const { status, stdout } = spawnSync('sh', ['-c', script, 'sh', process.execPath, tsc, '-p', folder, ...options], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${folder}:\n${stdout.slice(0, 2000)}`)
  const times = [...(stdout.trimEnd().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  const seconds = times.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0)
  return { seconds, megabytes: Number(/^Memory used: +(\d+)/m.exec(stdout)?.[1]) / 1024 }
}

function report(
  figures: Readonly<Record<string, Figures>>,
  { contracts, procedures }: { contracts: number; procedures: number },
) {
  const rows = Object.entries(figures).map(
    ([name, { seconds, megabytes }]) => `| ${name} | ${seconds.toFixed(2)} | ${Math.round(megabytes)} |`,
  )
  const ratio = (a: string, b: string) => ((figures[a]?.seconds ?? 0) / (figures[b]?.seconds ?? 1)).toFixed(2)
  console.log(`${contracts} contracts of ${procedures} procedures, ${availableParallelism()} cores, Node ${process.versions.node}

| program | CPU s | MB |
| --- | --: | --: |
${rows.join('\n')}

contracts ÷ plain types, libraries loaded: ${ratio('contracts', 'plain types, libraries loaded')}
contracts ÷ plain types: ${ratio('contracts', 'plain types')}`)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
