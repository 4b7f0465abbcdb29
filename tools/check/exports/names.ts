import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSync, type StaticExportEntry, type StaticImport } from 'oxc-parser'

/** Names that a file of emitted declarations exports. A namespace counts with its members: `ns`, `ns.a`, `ns.b`. */
export function namesOf(file: string): string[] {
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
