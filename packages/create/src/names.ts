/**
 * What a service cannot be called: parts of a system, those who use NATS beside the services, and databases that every PostgreSQL server
 * of ours has.
 */
const TAKEN = new Set([
  ...['nats', 'postgres', 'documents', 'redis', 'gateway'],
  ...['explorer', 'observer', 'operator', 'streams'],
  ...['app', 'template0', 'template1'],
])

/** Why a service cannot have this name; undefined if it can. */
export function whyNotName(name: string): string | undefined {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name))
    return `${JSON.stringify(name)} is not a name: use up to 32 lower-case letters, digits and hyphens`
  return TAKEN.has(name) ? `"${name}" cannot be the name of a service: choose another` : undefined
}
