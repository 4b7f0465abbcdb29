import type { Edge } from './graph.ts'

const CORE = ['errors', 'schema', 'contract', 'call']

/** What a folder of the framework may import, beside itself. A folder not named here has to be added first. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | 'anything'>> = {
  errors: [],
  schema: ['errors'],
  contract: ['errors', 'schema'],
  call: ['errors', 'schema', 'contract'],
  client: ['errors', 'schema', 'contract'],
  http: CORE,
  nats: CORE,
  auth: CORE,
  resilience: CORE,
  events: [...CORE, 'nats'],
  micro: [...CORE, 'http', 'nats', 'auth', 'events'],
  config: ['errors'],
  telemetry: ['errors'],
  postgres: ['errors'],
  mongo: ['errors'],
  cache: ['errors'],
  testing: 'anything',
}

const SOURCE = 'packages/tsmicro/src/'

/** Direction between the framework's folders (types too: they couple as well), and doors: another folder only by its index.ts. */
export function framework(edge: Edge): string[] {
  if (!edge.from.startsWith(SOURCE) || !edge.file?.startsWith(SOURCE)) return []
  const here = folderOf(edge.from)
  const there = folderOf(edge.file)
  if (here === there) return []
  if (there === '') return edge.test ? [] : ['imports the root index.ts, which imports everything: name the folder']
  const door = `${SOURCE}${there}/index.ts`
  if (edge.file !== door) return [`reaches into ${there}/: import its door, ${there}/index.ts`]
  // The root's index.ts joins everything; a test may use whatever it needs to build its case.
  if (here === '' || edge.test) return []
  const allowed = MAY_IMPORT[here]
  if (allowed === undefined)
    return [`${here}/ has no place in the import direction yet: add it to tools/check/imports/framework.ts`]
  if (allowed === 'anything' || allowed.includes(there)) return []
  return [`${here}/ may not import ${there}/ (it may import ${allowed.join(', ') || 'nothing'})`]
}

/** The first folder below src; empty for a file in src itself. */
function folderOf(path: string): string {
  const [first = '', ...rest] = path.slice(SOURCE.length).split('/')
  return rest.length > 0 ? first : ''
}
