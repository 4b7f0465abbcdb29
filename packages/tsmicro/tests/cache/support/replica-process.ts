/** A replica in a separate process, controlled by lines of JSON on stdin. Arguments: NATS, MongoDB, group, lease in ms. */
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { openReplica } from './servers.ts'
import type { Row } from './watch.ts'

const [nats = '', documents = '', group = '', leaseMs = ''] = process.argv.slice(2)
const url = (url: string) => ({ url }) as never
const { store } = await openReplica({ nats: url(nats), documents: url(documents) }, { group, leaseMs: Number(leaseMs) })
const rows = store.cache<Row>('rows')

for await (const line of createInterface({ input: process.stdin })) {
  const { id, version, blockedUntil } = JSON.parse(line)
  // Nothing else runs until that file exists, and then the read comes first, before any timer or message.
  while (blockedUntil && !existsSync(blockedUntil)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  // The caller supplies the value to fetch, as of the time of the request.
  rows
    .getOrSet('k', () => ({ version }))
    .then(row => {
      process.stdout.write(`${JSON.stringify({ id, version: row.version, sharing: store.sharing })}\n`)
    })
}
