import { readFileSync } from 'node:fs'
import { type DiffLine, diffOf } from './diff.ts'
import { countedLines, withoutImports } from './lines.ts'

const GLANCE = new URL('../../tests/glance/', import.meta.url)

/** The five tasks, as the names of the files in each framework's folder. */
export const TASKS = ['serve', 'call', 'event', 'role', 'test'] as const
export type Task = (typeof TASKS)[number]

export interface Framework {
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
export function codeOf(framework: Framework, task: Task): string {
  return task === 'role'
    ? `${roleDiff(framework)
        .map(({ mark, line }) => `${mark} ${line}`.trimEnd())
        .join('\n')}\n`
    : textOf(framework, task)
}

/** Lines that the task takes, imports not counted; of the role, those that are added or changed. */
export function lineCount(framework: Framework, task: Task): number {
  if (task !== 'role') return countedLines(textOf(framework, task)).length
  return countedLines(
    roleDiff(framework)
      .filter(({ mark }) => mark === '+')
      .map(({ line }) => line)
      .join('\n'),
  ).length
}

/** From the procedure for signed-in users to the one for editors. */
export function roleDiff(framework: Framework): readonly DiffLine[] {
  const [before, after] = ['user', 'role'].map(file => withoutImports(textOf(framework, file)).trimEnd().split('\n'))
  return diffOf(before ?? [], after ?? [])
}

/** The pinned version of what a framework is installed as. */
export function versionOf(name: string): string {
  const { dependencies } = JSON.parse(readFileSync(new URL('peers/package.json', GLANCE), 'utf8'))
  return String(dependencies[name])
}
