import { type Found, findFirst, type Wanted } from './found.ts'
import { findOnPath } from './path.ts'

export const REDIS_WANTED: Wanted = {
  name: 'Redis',
  program: 'redis-server 6.2',
  variable: 'REDIS_URL',
  hint: 'install it (apt install redis-server, brew install redis, or https://redis.io/downloads)',
  packaged: false,
}

/** The redis-server to run: 6.2 or later from PATH, as no package carries one. Undefined when there is none. */
export function locateRedis(sources?: readonly Found['source'][], problems?: string[]): Promise<Found | undefined> {
  return findFirst(
    { embedded: async () => undefined, path: seen => findOnPath('redis-server', [6, 2], [], seen) },
    sources,
    problems,
  )
}
