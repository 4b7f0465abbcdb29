/*
 * Records what the HTTP door answers, as `record.ts` does for messages:
 *   node packages/tsmicro/tests/wire/record-http.ts
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { openDoor } from './door.ts'
import { ask, HTTP_REQUESTS, type HttpExchange } from './http-probes.ts'

await using opened = await openDoor()
const exchanges: HttpExchange[] = []
for (const request of HTTP_REQUESTS) exchanges.push(await ask(opened.service.url, request))
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()
const file = new URL('recorded/http.json', import.meta.url)
writeFileSync(file, `${JSON.stringify({ commit, exchanges }, undefined, 1)}\n`)
