import type { Edge } from './graph.ts'

const STORES = new Set(['tsmicro/postgres', 'tsmicro/mongo', 'tsmicro/cache', 'pg', 'kysely', 'mongodb', 'bentocache'])
const MAKES = /^(create|connect|open)[A-Z]/

/**
 * A service chooses and connects its stores and transports in startup/. Elsewhere only what talks to a database may name a
 * store (repositories, query builders, `database/`), and a model its types: business logic survives a change of the store.
 */
export function stores(edge: Edge): string[] {
  const [, , source, folder] = edge.from.split('/')
  if (!edge.from.startsWith('services/') || edge.test || source !== 'src' || folder === 'startup') return []
  const made = edge.values.filter(name => MAKES.test(name) || name === 'NatsClient')
  const connecting = STORES.has(edge.specifier) || edge.specifier === 'tsmicro'
  const store = made.filter(name => STORES.has(edge.specifier) || /Nats/.test(name))
  if (connecting && store.length > 0)
    return [`${store.join(', ')} belongs in startup/, which chooses stores and transports`]
  // Everybody may be handed a cache; only its type is needed for that.
  if (!STORES.has(edge.specifier) || (edge.specifier === 'tsmicro/cache' && edge.typeOnly)) return []
  const model = edge.from.endsWith('/model.ts') && edge.typeOnly
  const talksToDatabase =
    folder?.startsWith('database') || /(repository|quer(y|ies)|index(es)?)[^/]*\.ts$/.test(edge.from)
  if (model || talksToDatabase) return []
  return [`${edge.specifier} is named outside startup/ and repositories: let a repository hide the store`]
}
