/**
 * Writes into `docs/api-at-a-glance.md` what is made of the programs in `tests/glance`: their code and the table of their lines.
 * The words around it are written by hand. Run by `npm run docs:glance`; a test fails when the page is out of step.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { codeOf, FRAMEWORKS, type Framework, lineCount, TASKS, type Task, versionOf } from './glance/frameworks.ts'

export const GLANCE_PAGE = new URL('../docs/api-at-a-glance.md', import.meta.url)

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

if (import.meta.main) writeFileSync(GLANCE_PAGE, regenerated(readFileSync(GLANCE_PAGE, 'utf8')))
