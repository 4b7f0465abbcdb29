import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface Exported {
  readonly isType: boolean
  /** The module to import it from. */
  readonly from: string
}

/** What every entry of the framework exports, by name, except for what only our own packages use. */
export function publicExports(root: string): ReadonlyMap<string, Exported> {
  const folder = join(root, 'packages/tsmicro')
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports: Record<string, string>
  }
  const found = new Map<string, Exported>()
  for (const [subpath, source] of Object.entries(exports)) {
    if (!source.endsWith('.ts') || subpath.startsWith('./internal')) continue
    for (const [name, isType] of namesOf(join(folder, source)))
      if (!found.has(name)) found.set(name, { isType, from: `tsmicro${subpath.slice(1)}` })
  }
  return found
}

/** The names that a file exports, and whether they are only types. */
export function namesOf(file: string): ReadonlyMap<string, boolean> {
  const text = readFileSync(file, 'utf8')
  const names = new Map<string, boolean>()
  for (const [, kind = '', name = ''] of text.matchAll(
    /^export (?:declare |async |abstract )*(const|function\*?|class|type|interface) (\w+)/gm,
  ))
    names.set(name, names.get(name) !== false && (kind === 'type' || kind === 'interface'))
  for (const [, list = ''] of text.matchAll(/^export (?:const )?[{[]([^}\]]*)[}\]](?! from| = {2})/gm))
    for (const name of list.match(/\w+/g) ?? []) names.set(name, false)
  for (const [, onlyTypes, list = ''] of text.matchAll(/^export (type )?\{([^}]*)\} from/gm))
    for (const each of list.split(',').map(part => part.trim()))
      if (each !== '') names.set(each.replace(/^type /, ''), onlyTypes !== undefined || each.startsWith('type '))
  for (const [, specifier = ''] of text.matchAll(/^export \* from '([^']+)'/gm))
    for (const [name, isType] of namesOf(join(dirname(file), specifier))) names.set(name, isType)
  return names
}
