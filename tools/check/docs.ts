import type { Check } from './check.ts'
import { undocumented } from './docs/docstrings.ts'
import { brokenLinks } from './docs/links.ts'
import { wrongMentions } from './docs/mentions.ts'
import { shownInternals } from './imports/internal.ts'
import { filesOf, textOf } from './workspace.ts'

export const docs: Check = {
  name: 'docs',
  promise: 'links, paths and scripts that the documents name exist; every public export of tsmicro has a docstring',
  run: root => {
    const pages = filesOf(root).filter(path => path.endsWith('.md'))
    const problems = [
      ...pages.flatMap(page => [
        ...brokenLinks(root, page),
        ...wrongMentions(root, page),
        ...shownInternals(page, textOf(root, page)),
      ]),
      ...undocumented(root),
    ]
    return { problems, note: `${pages.length} documents` }
  },
}
