import { posix } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'

type Token = {
  type: string
  children: Token[] | null
  attrGet(name: string): string | null
  attrSet(name: string, value: string): void
}

/**
 * Links to files of the repository, outside of docs/, lead there if the repository's address is known. Otherwise their text stays,
 * without a link.
 */
export function linksOutside(markdown: MarkdownRenderer, repository: string | undefined): void {
  const address = repository?.replace(/^git\+/, '').replace(/\.git$/, '')
  markdown.core.ruler.push('links-outside', ({ tokens }: { tokens: Token[] }) => {
    for (const token of tokens) if (token.children) token.children = rewritten(token.children, address)
  })
}

function rewritten(tokens: readonly Token[], address: string | undefined): Token[] {
  let dropping = false
  return tokens.filter(token => {
    if (token.type === 'link_open') {
      const target = token.attrGet('href') ?? ''
      dropping = target.startsWith('../') && address === undefined
      if (target.startsWith('../') && address !== undefined)
        token.attrSet('href', `${address}/blob/main/${posix.normalize(target.replace(/^(\.\.\/)+/, ''))}`)
      return !dropping
    }
    if (token.type !== 'link_close' || !dropping) return true
    dropping = false
    return false
  })
}
