import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** What a built site links to and fetches, and what of it does not exist or belongs to another host. */
export function problemsOf(
  site: string,
  base: string,
): { readonly problems: readonly string[]; readonly links: number } {
  const files = new Set(globSync('**/*', { cwd: site }).map(path => path.replaceAll('\\', '/')))
  const pages = [...files].filter(path => path.endsWith('.html'))
  const texts = new Map(pages.map(page => [page, readFileSync(join(site, page), 'utf8')]))
  const ids = new Map([...texts].map(([page, text]) => [page, new Set(valuesOf(text, /\sid="([^"]+)"/g))]))
  const problems: string[] = []
  let links = 0
  for (const [page, text] of texts) {
    for (const [, tag = '', attributes = ''] of text.matchAll(/<(a|link|script|img|source|iframe)\b([^>]*)>/g)) {
      const target = /\s(?:href|src)="([^"]*)"/.exec(attributes)?.[1]
      if (target === undefined) continue
      links += 1
      const problem = problemOf(tag, target.replaceAll('&amp;', '&'), page)
      if (problem) problems.push(`${page} ${problem}`)
    }
  }
  for (const style of [...files].filter(path => path.endsWith('.css')))
    for (const url of valuesOf(readFileSync(join(site, style), 'utf8'), /url\(["']?([^"')]+)/g))
      if (isForeign(url)) problems.push(`${style} fetches ${url}`)
  return { problems, links }

  function problemOf(tag: string, target: string, page: string): string | undefined {
    if (isForeign(target)) return tag === 'a' ? undefined : `fetches ${target}`
    if (/^(mailto|data):/.test(target)) return undefined
    const [path = '', anchor] = target.split('#')
    const file = fileOf(path, page)
    if (file === undefined) return `links to ${target}, which does not exist`
    if (anchor && file.endsWith('.html') && !ids.get(file)?.has(decodeURIComponent(anchor)))
      return `links to ${target}, but there is no such heading`
    return undefined
  }

  function fileOf(path: string, page: string): string | undefined {
    if (path === '') return page
    if (path.startsWith('/') && !path.startsWith(base)) return undefined
    const name = decodeURIComponent(
      path.startsWith('/') ? path.slice(base.length) : posix.join(posix.dirname(page), path),
    )
    return [name, `${name}.html`, posix.join(name, 'index.html')].find(each => files.has(each))
  }
}

const isForeign = (target: string): boolean => /^(https?:)?\/\//.test(target)

const valuesOf = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, value = '']) => value)
