import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { jsonOf, member, textOf } from './workspace.ts'

const PACKAGE = 'packages/tsmicro'

/** Entry points of the framework that do not exist, and public exports without a docstring. */
export function undocumented(root: string): string[] {
  if (!existsSync(join(root, PACKAGE, 'package.json'))) return []
  // Those below tsmicro/internal are single files of our own.
  const entries = Object.entries(member(jsonOf(root, `${PACKAGE}/package.json`), 'exports')).filter(
    ([subpath]) => !subpath.startsWith('./internal/'),
  )
  const doors = entries.flatMap(([subpath, entry]) => {
    const isSource = typeof entry === 'string' && entry.endsWith('.ts')
    return isSource ? [{ subpath, file: posix.join(PACKAGE, entry) }] : []
  })
  const missing = doors.filter(({ file }) => !existsSync(join(root, file)))
  const present = doors.filter(({ file }) => existsSync(join(root, file)))
  const bare = new Set(
    present.flatMap(({ file }) => exportsOf(root, file).flatMap(found => problemOf(root, file, found))),
  )
  return [
    ...present.flatMap(({ file }) => unlisted(root, file)),
    ...missing.map(({ subpath, file }) => `${PACKAGE}/package.json exports ${subpath}, but ${file} does not exist`),
    ...bare,
  ]
}

const LISTED = /^export\s+(?:type\s+)?\{([^}]*)\}\s*from\s*'(\.[^']+)'/gm

/** An entry lists what others declare, by name: what it exports in another way would be looked for in vain. */
function unlisted(root: string, file: string): string[] {
  const rest = textOf(root, file).replaceAll(LISTED, '')
  return /^export\b/m.test(rest) ? [`${file} exports more than it lists: export { … } from './x.ts' alone`] : []
}

type Exported = { readonly name: string; readonly from: string }

/** The names of `export { a, type B as C } from './x.ts'`, the only form that an entry point uses. */
function exportsOf(root: string, file: string): Exported[] {
  return [...textOf(root, file).matchAll(LISTED)].flatMap(match => {
    const [, list = '', specifier = ''] = match
    const from = posix.join(posix.dirname(file), specifier)
    const names = list.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').split(',')
    return names.flatMap(entry => {
      const name =
        entry
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)[0] ?? ''
      return name === '' ? [] : [{ name, from }]
    })
  })
}

function problemOf(root: string, door: string, { name, from }: Exported): string[] {
  if (!existsSync(join(root, from))) return [`${door} exports ${name} from ${from}, which does not exist`]
  const declarations = declarationsOf(textOf(root, from), name)
  if (declarations.some(isDocumented)) return []
  if (declarations.length > 0) return [`${from}: public ${name} has no docstring`]
  const further = exportsOf(root, from).find(exported => exported.name === name)
  return further ? problemOf(root, from, further) : []
}

type Declaration = { readonly docstring: boolean; readonly body: string }

/** Several for a function with overloads, or a const and the type of the same name: one docstring serves them all. */
function declarationsOf(text: string, name: string): Declaration[] {
  const kind = '(?:declare |abstract |async )*(?:function\\*?|class|const|let|type|interface)'
  const pattern = new RegExp(`^(/\\*\\*(?:[^*]|\\*(?!/))*\\*/\\n)?export ${kind} ${name}(?![\\w$])`, 'gm')
  return [...text.matchAll(pattern)].map(match => ({
    docstring: match[1] !== undefined,
    body: /^.*?^(?:\S|$(?![\s\S]))/ms.exec(text.slice(match.index + match[0].length))?.[0] ?? '',
  }))
}

/** A type whose members say what they are needs no sentence of its own (`GatewayOptions`: “the options of the gateway”). */
const isDocumented = ({ docstring, body }: Declaration) => docstring || body.includes('/**')
