import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseSync, type StaticExportEntry, type StaticImport } from 'oxc-parser'
import { type Check, command } from './check.ts'
import { jsonOf, member } from './workspace.ts'

const PACKAGE = 'packages/tsmicro'

/** For the packages, tools and tests of this repository alone. */
const INTERNAL = 'tsmicro/internal'

const MOST = 152

export const exports: Check = {
  name: 'exports',
  promise: `the entries of tsmicro export at most ${MOST} names together, tsmicro/internal not counted, and none twice`,
  run: async root => {
    const missing = entriesOf(root).filter(({ source }) => !existsSync(join(root, PACKAGE, source)))
    if (missing.length > 0) {
      const problems = missing.map(({ specifier, source }) => `${specifier}: ${PACKAGE}/${source} does not exist`)
      return { problems }
    }
    const folder = mkdtempSync(join(tmpdir(), 'tsmicro-declarations-'))
    try {
      // Without checking types, which is another check's work.
      const emit = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--noCheck', '--outDir', folder]
      const { problems } = await command(root, 'typescript/bin/tsc', ['-p', PACKAGE, ...emit])
      return problems.length > 0 ? { problems } : counted(root, folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function counted(root: string, declarations: string) {
  const homes = new Map<string, string[]>()
  let count = 0
  for (const { specifier, source } of entriesOf(root)) {
    const names = namesOf(join(declarations, source.replace(/^src\//, '').replace(/\.ts$/, '.d.ts')))
    if (!specifier.startsWith(INTERNAL)) count += names.length
    for (const name of names) homes.set(name, [...(homes.get(name) ?? []), specifier])
  }
  const problems = [...homes]
    .filter(([, specifiers]) => specifiers.length > 1)
    .map(([name, specifiers]) => `${name} is exported by ${specifiers.join(' and ')}: a name has one home`)
  if (count > MOST)
    problems.push(
      `${count} names are exported, ${MOST} at most: give back what nobody outside needs, or move it to ${INTERNAL}`,
    )
  return { problems, note: `${count} names` }
}

type Entry = {
  /** What it is imported as: `tsmicro/contract`. */
  readonly specifier: string
  /** Its source, relative to the package: `src/contract.ts`. */
  readonly source: string
}

/** Entries of the framework, as its package.json has them. */
function entriesOf(root: string): Entry[] {
  if (!existsSync(join(root, PACKAGE, 'package.json'))) return []
  const exports = member(jsonOf(root, `${PACKAGE}/package.json`), 'exports')
  return Object.entries(exports).flatMap(([subpath, entry]) => {
    if (typeof entry !== 'string' || !entry.endsWith('.ts')) return []
    return [{ specifier: `tsmicro${subpath.slice(1)}`, source: entry.replace(/^\.\//, '') }]
  })
}

/** Names that a file of emitted declarations exports. A namespace counts with its members: `ns`, `ns.a`, `ns.b`. */
function namesOf(file: string): string[] {
  const { program, module, errors } = parseSync(file, readFileSync(file, 'utf8'))
  if (errors.length > 0) throw new Error(`${file} cannot be read: ${errors[0]?.message}`)
  const exported = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(entry => namesOfEntry(file, entry, module.staticImports)),
  )
  // The compiler makes one of a function that has properties.
  const declared = program.body.flatMap(statement => {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : null
    if (declaration?.type !== 'TSModuleDeclaration') return []
    return (declaration.body?.body ?? []).map(({ start, end }) => `namespace.${start}-${end}`)
  })
  return [...new Set([...exported, ...declared])]
}

function namesOfEntry(file: string, entry: StaticExportEntry, imports: readonly StaticImport[]): string[] {
  const { exportName, importName, localName, moduleRequest } = entry
  // Their types are `const enum`s, which a single file cannot compare with.
  const [kind, from]: string[] = [exportName.kind, importName.kind]
  const all = from === 'All' || from === 'AllButDefault'
  if (kind === 'None') return namesOf(declarationsAt(file, moduleRequest?.value)).filter(name => name !== 'default')
  const name = exportName.name ?? 'default'
  const namespace = all ? moduleRequest?.value : namespaceImport(localName.name, imports)
  const members = namespace === undefined ? [] : namesOf(declarationsAt(file, namespace))
  return [name, ...members.map(member => `${name}.${member}`)]
}

/** What `import * as` took the name from, when that is what it is. */
function namespaceImport(name: string | null, imports: readonly StaticImport[]): string | undefined {
  return imports.find(({ entries }) =>
    entries.some(({ importName, localName }) => {
      const kind: string = importName.kind
      return kind === 'NamespaceObject' && localName.value === name
    }),
  )?.moduleRequest.value
}

/** The declarations that a relative import means; the compiler leaves its text as it is in the source. */
function declarationsAt(from: string, specifier: string | undefined): string {
  if (!specifier?.startsWith('.')) throw new Error(`${from} exports all of ${specifier}: name what is exported`)
  return join(dirname(from), specifier.replace(/\.[jt]s$/, '.d.ts'))
}
