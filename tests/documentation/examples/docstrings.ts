import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The code of an `@example`. */
export interface Example {
  readonly code: string
  /** Path of the source from the root. */
  readonly file: string
  /** Its location, for messages: `packages/tsmicro/src/cache/store.ts:64`. */
  readonly place: string
}

/** All examples in the docstrings of a folder, in order. */
export function examplesOf(root: string, folder: string): readonly Example[] {
  const files = globSync(`${folder}/**/*.ts`, { cwd: root }).map(path => path.replaceAll('\\', '/'))
  return files
    .filter(file => !/\.test(-d)?\.ts$/.test(file))
    .sort()
    .flatMap(file => examplesIn(file, readFileSync(join(root, file), 'utf8')))
}

function examplesIn(file: string, source: string): readonly Example[] {
  return [...source.matchAll(/\/\*\*.*?\*\//gs)].flatMap(docstring =>
    [...docstring[0].matchAll(/@example(.*?)(?=\n\s*\* ?@\w|\s*\*\/$)/gs)].map(match => {
      const line = source.slice(0, docstring.index + match.index).split('\n').length
      return { file, place: `${file}:${line}`, code: (match[1] ?? '').replaceAll(/\n\s*\* ?/g, '\n').trim() }
    }),
  )
}
