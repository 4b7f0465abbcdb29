import type { Edge } from './graph.ts'

const INTERNAL = 'tsmicro/internal'

/** Where our own packages, tools and tests are; not services and contracts, which are written as anybody's would be. */
const OURS = /^(packages|tools|tests|bench)\//

/** What is in tests/ to be shown: the examples of the docstrings and of the documents. */
const SHOWN = /^tests\/(documentation|glance)\//

export function internal({ from, specifier }: Edge): string[] {
  if (!specifier.startsWith(INTERNAL) || (OURS.test(from) && !SHOWN.test(from))) return []
  return [`${INTERNAL} is for the framework's own packages: services and examples do with the other entries`]
}

/** The same for the code that a document shows. */
export function shownInternals(page: string, text: string): string[] {
  return [...text.matchAll(/from\s+['"]tsmicro\/internal/g)].map(
    ({ index }) => `${page}:${text.slice(0, index).split('\n').length} shows ${INTERNAL}, which may change at any time`,
  )
}
