import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, file, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import { receiveAll } from './network/foreign.ts'
import type { OpenNetwork } from './network/network.ts'

const Asked = Type.Object({ as: Type.String() })
const { NO_FILE } = defineErrors({ NO_FILE: { status: 404, message: 'No file' } })
const archive = contract('archive', {
  download: procedure({
    http: 'GET /download',
    nats: 'download',
    access: 'open',
    input: Asked,
    output: file(['text/csv', 'application/octet-stream']),
    errors: { NO_FILE },
  }),
})
const LINE = 'a,ü,"1"\r\n'
const bytes = Buffer.from(LINE.repeat(100_000))

/** Files are the same at both doors: their bytes, what their headers say, and how they break off. */
export async function files(open: OpenNetwork) {
  const network = await open()
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-files-'))
  const path = join(directory, 'list.csv')
  await writeFile(path, bytes)
  const seen = { made: 0, begun: 0, ended: 0 }
  async function* pieces(count: number, failAt?: number) {
    seen.begun += 1
    try {
      for (let n = 0; n < count; n++) {
        if (n === failAt) throw new Error('the disk is broken')
        seen.made += 1
        yield LINE
      }
    } finally {
      seen.ended += 1
    }
  }
  const answers = {
    path: () => ({ path }),
    bytes: () => bytes,
    empty: () => new Uint8Array(),
    blob: () => new Blob([bytes]),
    web: () => new Blob([bytes]).stream(),
    node: () => Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]),
    pieces: () => pieces(1000),
    named: () => ({ content: bytes, name: 'Übersicht "1".csv', type: 'application/octet-stream' }),
    endless: () => pieces(1e9),
    broken: () => pieces(1e9, 3000),
  } as const
  const { service, log } = await serve({
    name: 'archive',
    network,
    handlers: [
      implement(archive, {
        download: ({ input, errors }) => {
          const answer = answers[input.as as keyof typeof answers]
          if (!answer) throw new errors.NO_FILE()
          return answer()
        },
      }),
    ],
  })
  const caller = await connected(network)
  const raw = await network.raw()
  after(async () => {
    await raw.close()
    await service.stop()
    await rm(directory, { recursive: true, force: true })
  })
  const doors = { http: createHttpClient(archive, { baseUrl: service.url }), nats: caller.client(archive) }
  const finished = () => until('every source is closed', () => seen.begun === seen.ended)
  const described = ({ headers, status }: Response) => [
    status,
    ...['content-type', 'content-length', 'content-disposition'].map(name => headers.get(name)),
  ]

  test('every kind of content arrives whole, with the same headers at both doors', async () => {
    for (const as of ['path', 'bytes', 'empty', 'blob', 'web', 'node', 'pieces', 'named']) {
      const [http, nats] = [await doors.http.download({ as }), await doors.nats.download({ as })]
      assert.deepEqual(described(nats), described(http), as)
      const expected = as === 'empty' ? Buffer.alloc(0) : as === 'pieces' ? Buffer.from(LINE.repeat(1000)) : bytes
      for (const response of [http, nats])
        assert.ok(Buffer.from(await response.arrayBuffer()).equals(expected), `${as}: other bytes`)
    }
    await finished()
  })

  for (const [door, client] of Object.entries(doors)) {
    test(`${door}: a failure before the first byte is an error of the call`, () =>
      assert.rejects(client.download({ as: 'none' }), NO_FILE))

    test(`${door}: one that breaks off fails its reader, and is never taken for the whole`, async () => {
      // It may break off before the head of the answer has been sent.
      await assert.rejects(async () => (await client.download({ as: 'broken' })).arrayBuffer())
      await finished()
      await until('it is logged', () => log.at('error').some(({ fields }) => /disk is broken/.test(String(fields.err))))
      log.lines.length = 0
    })

    test(`${door}: a slow reader holds the source back, and one that leaves closes it`, async () => {
      const before = seen.made
      const { body } = await client.download({ as: 'endless' })
      const reader = body?.getReader()
      const first = await reader?.read()
      assert.ok(first?.value?.length)
      await until('nothing more is made', async () => {
        const { made } = seen
        await new Promise(resolve => setTimeout(resolve, 100))
        return seen.made === made
      })
      // Sockets buffer some megabytes.
      assert.ok((seen.made - before) * LINE.length < 50_000_000)
      await reader?.cancel()
      await finished()
    })
  }

  test('a client with nothing but NATS receives the same', async () => {
    for (const window of [{ items: 1 }, { bytes: 1 }, {}]) {
      const chunks = (await Array.fromAsync(
        receiveAll(raw, 'archive.download', { as: 'bytes' }, window),
      )) as Uint8Array[]
      assert.ok(Buffer.concat(chunks).equals(bytes))
    }
  })
}
