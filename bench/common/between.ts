/**
 * The page with other text between its two marks, `<!-- figures: begin -->` and `<!-- figures: end -->`.
 *
 * @throws Error when it has none
 */
export function between(page: string, mark: string, text: string): string {
  const [beginning, ending] = [`<!-- ${mark}: begin -->`, `<!-- ${mark}: end -->`]
  const [begin, end] = [page.indexOf(beginning), page.indexOf(ending)]
  if (begin < 0 || end < begin) throw new Error(`the page has no ${beginning} … ${ending} to put the figures in`)
  return `${page.slice(0, begin + beginning.length)}\n\n${text}\n\n${page.slice(end)}`
}
