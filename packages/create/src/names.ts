/** Parts of a system, which a service cannot be called; `app` and the templates are databases of every PostgreSQL server of ours. */
const TAKEN = new Set(['nats', 'postgres', 'documents', 'redis', 'gateway', 'app', 'template0', 'template1'])

/** Why a service cannot have this name; undefined if it can. */
export function whyNotName(name: string): string | undefined {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name))
    return `${JSON.stringify(name)} is not a name: use up to 32 lower-case letters, digits and hyphens`
  return TAKEN.has(name) ? `"${name}" cannot be the name of a service: choose another` : undefined
}
