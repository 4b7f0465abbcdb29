import { blank } from './blank.ts'

export type Import = {
  readonly specifier: string
  /** Erased before the code runs: `import type`, or every name marked `type`. */
  readonly typeOnly: boolean
  /** The names taken from the other module, without `type` and `as`; empty for `*` and side effects. */
  readonly names: readonly string[]
  /** Those of `names` that exist at run time. */
  readonly values: readonly string[]
  readonly line: number
}

// A statement stands at the beginning of a line: biome's format sees to that.
const STATEMENT = /^(?:import|export)\s+(?:(type)\s+)?(?:([\w*\s{},$]+?)\s*from\s*)?(['"])([^'"\n]+)\3/gm
const DYNAMIC = /\bimport\(\s*(['"])([^'"\n]+)\1/g

/** The static imports, re-exports and dynamic imports with a literal name of a TypeScript file. */
export function importsOf(code: string): Import[] {
  const text = blank(code)
  const lineAt = (index: number) => text.slice(0, index).split('\n').length
  const statements = [...text.matchAll(STATEMENT)].map(match => {
    const [, type, clause = '', , specifier = ''] = match
    return { specifier, line: lineAt(match.index), ...readClause(clause, type !== undefined) }
  })
  const dynamic = [...text.matchAll(DYNAMIC)].map(match => {
    const [, , specifier = ''] = match
    return { specifier, typeOnly: false, names: [], values: [], line: lineAt(match.index) }
  })
  return [...statements, ...dynamic]
}

function readClause(clause: string, type: boolean): Pick<Import, 'typeOnly' | 'names' | 'values'> {
  const braces = /\{([^}]*)\}/.exec(clause)?.[1]
  const listed = (braces ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
  const bare = (name: string) => name.replace(/^type\s+/, '').replace(/\s+as\s[\s\S]*$/, '')
  const names = listed.map(bare)
  const values = type ? [] : listed.filter(name => !/^type\s/.test(name)).map(bare)
  const onlyBraces = /^\{[^}]*\}$/.test(clause.trim())
  return { typeOnly: type || (onlyBraces && listed.length > 0 && values.length === 0), names, values }
}
