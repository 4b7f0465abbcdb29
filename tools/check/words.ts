import type { Check } from './check.ts'
import { filesOf, textOf } from './workspace.ts'

type Phrase = { readonly pattern: RegExp; readonly write: string }

/** Texts that people read. Not the changelog, which is history, and not the list itself with its examples. */
const READ = /\.(ts|mjs|md|lua|yml|sh)$|(^|\/)(Dockerfile|\.ci\/\w+)$/
const NOT_READ = /(^|\/)(CHANGELOG\.md|tools\/check\/words(\.test)?\.ts|tests\/glance\/peers\/.*)$/

// “no longer”, “no more than”, “no later than” and these nouns are idiomatic.
const IDIOMATIC = '(?! (longer|more|less|different|\\w+er than|reason|need|way|point|use|doubt|surprise|guarantee)\\b)'

/** Unidiomatic phrases and what to write instead. A space in a pattern also matches a line break within a comment. */
export const PHRASES: readonly Phrase[] = [
  phrase(`(?<!\\bthere )\\b(is|are|was|were) no\\b${IDIOMATIC}`, '“is not a …”, “is not valid”, “is unknown”'),
  phrase('(?<!\\bthere )\\b(is|are|was|were) none\\b', '“is not one”, “is invalid”, “does not exist”'),
  phrase('\\bany more\\b(?! (than|of|time|memory|work|data|\\w+s)\\b)', '“no longer”'),
  phrase('\\banew\\b', '“again”, “from scratch”, or “rewrites”, “reloads” and the like'),
  phrase('(?<!\\()\\btold as\\b', '“reported as”'),
  phrase('\\bwho(ever)? (is|was) told\\b', '“who knows”, “who received …”'),
  phrase('\\b(whatever|whoever|wherever) (it|that) (is|was)\\b', 'what it is: “any value”, “any error”'),
  phrase('\\bof which there (is|are) no\\b', '“which has no …”'),
  phrase('\\bput(s|ting)?\\b[^.;:]{1,60}\\bin place of\\b', '“replaces … with …”'),
  phrase('\\bthat which\\b', '“what”, or the noun'),
  phrase('\\bbe it\\b', '“whether … or …”'),
  phrase('\\bfor want of\\b', '“because there is no …”'),
  phrase('\\bknows? (of )?no(ne|thing of)?\\b(?! (longer|more|better))', '“does not know”, “has no …”'),
  phrase('\\ball else\\b', '“everything else”'),
]

export const words: Check = {
  name: 'words',
  promise: 'comments, messages and documents say “no longer” and “is invalid”, not what tools/check/words.ts lists',
  run: root => {
    const paths = filesOf(root).filter(path => READ.test(path) && !NOT_READ.test(path))
    return { problems: paths.flatMap(path => unidiomatic(path, textOf(root, path))), note: `${paths.length} texts` }
  },
}

export function unidiomatic(path: string, text: string): string[] {
  return PHRASES.flatMap(({ pattern, write }) =>
    [...text.matchAll(pattern)].map(({ 0: found, index }) => {
      const line = text.slice(0, index).split('\n').length
      return `${path}:${line} “${found.replaceAll(/\s[\s*/#-]*/g, ' ')}”: write ${write}`
    }),
  )
}

function phrase(pattern: string, write: string): Phrase {
  return { pattern: new RegExp(pattern.replaceAll(' ', '\\s[\\s*/#-]*'), 'gi'), write }
}
