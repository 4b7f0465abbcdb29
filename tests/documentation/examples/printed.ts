import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format } from 'node:util'

const FOLDER = new URL('../../../examples/', import.meta.url)

/** A program in `examples/` and what it says at its end that it prints. */
interface Program {
  readonly path: string
  readonly url: URL
  readonly prints: readonly string[]
  /** Whether the order of its lines may differ. */
  readonly anyOrder: boolean
}

/** All programs in `examples/`, in their order; those of `node:test` print nothing. */
export const programs: readonly Program[] = globSync(['[0-9]*.ts', '[0-9]*/main.ts'], { cwd: fileURLToPath(FOLDER) })
  .filter(path => !path.endsWith('.test.ts'))
  .sort()
  .map(path => {
    const url = new URL(path, FOLDER)
    const [, order = '', told = ''] = /\n\/\/ Prints(, .*)?:\n([\s\S]*)$/.exec(readFileSync(url, 'utf8')) ?? []
    const prints = told
      .trimEnd()
      .split('\n')
      .map(line => line.replace(/^\/\/ /, ''))
    return { path, url, prints, anyOrder: order.includes('either order') }
  })

/** Runs a program in this process; resolves to the lines that it has printed. */
export async function printedBy({ url }: Program): Promise<readonly string[]> {
  const { log } = console
  const lines: string[] = []
  console.log = (...values: unknown[]) => void lines.push(...format(...values).split('\n'))
  try {
    await import(url.href)
    return lines
  } finally {
    console.log = log
  }
}
