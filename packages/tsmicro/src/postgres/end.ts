import type { Pool, PoolClient } from 'pg'
import { settledWithin } from '../errors/index.ts'

/** What pg has and its types do not tell. */
interface Wired {
  readonly connection?: { readonly stream?: { destroy(): void } }
}

/** For running queries to end. Requests were waited for before; a server that hangs would keep them for half a minute. */
const QUERIES_MS = 3000
const CUT_MS = 500

/** Ends a pool, and cuts the connections that do not come home. @param open the pool's connections, as of any moment */
export async function endPool(pool: Pool, open: ReadonlySet<PoolClient>): Promise<void> {
  const ended = pool.end()
  if (await settledWithin(QUERIES_MS, ended)) return ended
  for (const client of open) (client as Wired).connection?.stream?.destroy()
  // Nothing more can be done for one that is still being connected: that has a limit of its own.
  if (await settledWithin(CUT_MS, ended)) return ended
}
