import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Check } from './check.ts'
import { undocumented } from './docstrings.ts'
import { filesOf, jsonOf, member, textOf } from './workspace.ts'

const OWN = /^(packages|contracts|services|tools|tests|docs|kong|deploy|bench|examples|\.ci)\/[\w./-]*$/

export const docs: Check = {
  name: 'docs',
  promise: 'links, paths and scripts that the documents name exist; every public export of tsmicro has a docstring',
  run: root => {
    const pages = filesOf(root).filter(path => path.endsWith('.md'))
    const problems = [
      ...pages.flatMap(page => [
        ...brokenLinks(root, page),
        ...wrongMentions(root, page),
        ...shownInternals(root, page),
      ]),
      ...undocumented(root),
    ]
    return { problems, note: `${pages.length} documents` }
  },
}

/** Relative links and anchors of one Markdown file that lead nowhere. */
function brokenLinks(root: string, path: string): string[] {
  const text = prose(textOf(root, path))
  const inline = [...text.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
  const references = [...text.matchAll(/^ {0,3}\[[^\]^]+\]:\s+<?([^\s>]+)/gm)]
  return [...inline, ...references].flatMap(match => {
    const [, link = ''] = match
    if (/^[a-z][a-z0-9+.-]*:/i.test(link) || link.startsWith('//')) return []
    const problem = followed(root, path, decodeURI(link))
    return problem ? [`${path}:${text.slice(0, match.index).split('\n').length} ${problem}`] : []
  })
}

function followed(root: string, path: string, link: string): string | undefined {
  const [target = '', anchor] = link.split('#')
  const file = target === '' ? path : target.startsWith('/') ? target.slice(1) : posix.join(posix.dirname(path), target)
  if (!existsSync(join(root, file))) return `links to ${link}, which does not exist`
  if (anchor === undefined || !file.endsWith('.md')) return undefined
  return anchorsOf(textOf(root, file)).has(anchor.toLowerCase())
    ? undefined
    : `links to ${link}, but there is no such heading`
}

/** Heading anchors as GitHub makes them: lower case, no punctuation, hyphens for spaces, numbered when repeated. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of prose(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-')
    let count = 0
    let unique = anchor
    while (anchors.has(unique)) unique = `${anchor}-${++count}`
    anchors.add(unique)
  }
  for (const [, id = ''] of markdown.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(id.toLowerCase())
  return anchors
}

/** Blanks code blocks and keeps line numbers: an example may look like a link or a heading. */
const prose = (markdown: string): string =>
  markdown.replaceAll(/^( {0,3})(```+|~~~+)[\s\S]*?^ {0,3}\2/gm, block => block.replaceAll(/[^\n]/g, ' '))

/** Paths in `code` and npm scripts that a Markdown file speaks of and that do not exist. */
function wrongMentions(root: string, path: string): string[] {
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

/** Examples that import what readers cannot rely on. */
function shownInternals(root: string, page: string): string[] {
  const text = textOf(root, page)
  return [...text.matchAll(/from\s+['"]tsmicro\/internal/g)].map(
    ({ index }) =>
      `${page}:${text.slice(0, index).split('\n').length} shows tsmicro/internal, which may change at any time`,
  )
}
