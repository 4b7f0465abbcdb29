import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { jsonOf, member, textOf } from '../workspace.ts'
import { prose } from './links.ts'

const OWN = /^(packages|contracts|services|tools|tests|docs|kong|deploy|bench|examples|\.ci)\/[\w./-]*$/

/** Paths in `code` and npm scripts that a Markdown file speaks of and that do not exist. */
export function wrongMentions(root: string, path: string): string[] {
  const text = textOf(root, path)
  const scripts = member(jsonOf(root, 'package.json'), 'scripts')
  const line = (index: number) => `${path}:${text.slice(0, index).split('\n').length}`
  const paths = [...prose(text).matchAll(/`([^`\s]+)`/g)].flatMap(match => {
    const [, mention = ''] = match
    // A path with a placeholder or a wildcard does not match OWN, and so is not looked for.
    return OWN.test(mention) && !existsSync(join(root, mention))
      ? [`${line(match.index)} speaks of ${mention}, which does not exist`]
      : []
  })
  const commands = [...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].flatMap(match => {
    const [, name = ''] = match
    return name in scripts ? [] : [`${line(match.index)} speaks of npm run ${name}: package.json has no such script`]
  })
  return [...paths, ...commands]
}
