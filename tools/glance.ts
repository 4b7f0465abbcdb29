/**
 * Writes into `docs/api-at-a-glance.md` what is made of the programs in `tests/glance`: their code and the table of their lines.
 * The words around it are written by hand. Run by `npm run docs:glance`; a test fails when the page is out of step.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { diff } from 'node:util'

export const GLANCE_PAGE = new URL('../docs/api-at-a-glance.md', import.meta.url)

const GLANCE = new URL('../tests/glance/', import.meta.url)

/** The five tasks, as the names of the files in each framework's folder. */
const TASKS = ['serve', 'call', 'event', 'role', 'test'] as const
export type Task = (typeof TASKS)[number]

interface Framework {
  readonly name: string
  /** Below `tests/glance/`. */
  readonly folder: string
}

/** tsmicro first, then who it is compared with. */
export const FRAMEWORKS: readonly Framework[] = [
  { name: 'tsmicro', folder: 'tsmicro' },
  { name: 'NestJS', folder: 'peers/nestjs' },
  { name: 'oRPC', folder: 'peers/orpc' },
  { name: 'Encore.ts', folder: 'peers/encore' },
  { name: 'Hono', folder: 'peers/hono' },
]

const textOf = ({ folder }: Framework, file: string) => readFileSync(new URL(`${folder}/${file}.ts`, GLANCE), 'utf8')

/** What stands on the page for a task: the program, or, for the role, what it adds to the program for any signed-in user. */
function codeOf(framework: Framework, task: Task): string {
  return task === 'role' ? `${roleDiff(framework).join('\n')}\n` : textOf(framework, task)
}

/** Lines that the task takes, imports not counted; of the role, those that are added or changed. */
export function lineCount(framework: Framework, task: Task): number {
  if (task !== 'role') return countedLines(textOf(framework, task)).length
  const added = roleDiff(framework).filter(line => line.startsWith('+'))
  return countedLines(added.map(line => line.slice(2)).join('\n')).length
}

/** From the procedure for signed-in users to the one for editors: lines that start with a space, `-` or `+`. */
export function roleDiff(framework: Framework): readonly string[] {
  const [before, after] = ['user', 'role'].map(file => withoutImports(textOf(framework, file)).trimEnd().split('\n'))
  const marks = { 0: ' ', 1: '-', [-1]: '+' } as const
  return diff(before ?? [], after ?? []).map(([mark, line]) => `${marks[mark]} ${line}`.trimEnd())
}

/** The pinned version of what a framework is installed as. */
function versionOf(name: string): string {
  const { dependencies } = JSON.parse(readFileSync(new URL('peers/package.json', GLANCE), 'utf8'))
  return String(dependencies[name])
}

const TITLES: Readonly<Record<Task, string>> = {
  serve: 'declare and serve a procedure',
  call: 'call it',
  event: 'publish and handle an event',
  role: 'protect it by a role',
  test: 'test it',
}

/** The page with each part between `<!-- made: … -->` and `<!-- end -->` regenerated. @throws Error for an unknown part */
export function regenerated(page: string): string {
  return page.replaceAll(/(<!-- made: (\w+) -->\n)[\s\S]*?(?=<!-- end -->)/g, (_, head: string, part: string) => {
    if (part === 'table') return `${head}\n${table()}\n`
    if (part === 'versions') return `${head}\n${versions()}\n`
    const task = TASKS.find(name => name === part)
    if (!task) throw new Error(`docs/api-at-a-glance.md: there is no part ${part}`)
    return `${head}\n${programs(task)}\n`
  })
}

function table(): string {
  const rows = TASKS.map(task => [TITLES[task], ...FRAMEWORKS.map(framework => String(lineCount(framework, task)))])
  const head = ['', ...FRAMEWORKS.map(({ name }) => name)]
  const lines = [head, head.map((_, column) => (column === 0 ? '---' : '--:')), ...rows]
  return `${lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')}\n`
}

function versions(): string {
  const of = (name: string, text: string) => `${text} ${versionOf(name)}`
  const list = [of('@nestjs/core', 'NestJS'), of('@orpc/server', 'oRPC'), of('encore.dev', 'Encore.ts')]
  return `${[...list, of('hono', 'Hono')].join(', ')}.\n`
}

/** Ours is seen at once, the others by a click. */
function programs(task: Task): string {
  return FRAMEWORKS.map((framework, index) => {
    const code = fenced(framework, task)
    if (index === 0) return code
    return `<details><summary>${framework.name}: ${linesTold(lineCount(framework, task))}</summary>\n\n${code}\n</details>\n`
  }).join('\n')
}

function fenced(framework: Framework, task: Task): string {
  return `\`\`\`${task === 'role' ? 'diff' : 'ts'}\n${codeOf(framework, task)}\`\`\`\n`
}

const linesTold = (count: number) => (count === 1 ? '1 line' : `${count} lines`)

/** The lines of a program that are counted: neither imports nor comments nor blank ones. */
export function countedLines(code: string): string[] {
  return withoutImports(code)
    .split('\n')
    .filter(line => line.trim() !== '' && !/^\s*(\/\/|\/\*|\*)/.test(line))
}

const withoutImports = (code: string): string =>
  code.replaceAll(/^import\s(?:[^'"]*?\sfrom\s)?['"][^'"\n]+['"]\n/gm, '').trimStart()

if (import.meta.main) writeFileSync(GLANCE_PAGE, regenerated(readFileSync(GLANCE_PAGE, 'utf8')))
