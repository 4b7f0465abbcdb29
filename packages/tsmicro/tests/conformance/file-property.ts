import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, file, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import { receiveAll, type Window } from './network/foreign.ts'
import type { OpenNetwork } from './network/network.ts'

const archive = contract('archive', {
  download: procedure({
    http: 'GET /download/:id',
    nats: 'download',
    access: 'open',
    input: Type.Object({ id: Type.String() }),
    output: file('application/octet-stream'),
  }),
})

const RUNS = process.env.CI ? 300 : 30
/** No two pieces of it are the same. */
const CONTENT = Buffer.from(Uint32Array.from({ length: 400_000 }, (_, index) => index).buffer)

interface Scenario {
  /** Bytes of the pieces that the source makes. */
  readonly sizes: readonly number[]
  readonly source: 'pieces' | 'node' | 'web' | 'path' | 'bytes' | 'blob'
  readonly by: 'http' | 'nats' | 'foreign'
  readonly how: 'end' | 'fail' | 'leave' | 'abort' | 'kill'
  /** After how many pieces that happens. */
  readonly at: number
  readonly window: Window
}

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  sizes: fc.array(fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 150_000 })), { maxLength: 10 }),
  source: fc.constantFrom('pieces', 'node', 'web', 'path', 'bytes', 'blob'),
  by: fc.constantFrom('http', 'nats', 'foreign'),
  how: fc.constantFrom('end', 'fail', 'leave', 'abort', 'kill'),
  at: fc.nat({ max: 10 }),
  window: fc.record({ items: fc.integer({ min: 1, max: 20 }), bytes: fc.integer({ min: 1, max: 200_000 }) }),
})

const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0)

/** Whatever is sent and whoever fails or leaves: a caller sees a prefix, and takes no part for the whole; every source is closed. */
export async function fileProperty(open: OpenNetwork) {
  const network = await open()
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-files-'))
  const asked = new Map<string, Scenario>()
  const seen = { begun: 0, ended: 0 }

  async function* pieces({ sizes, how, at }: Scenario): AsyncGenerator<Uint8Array, void> {
    seen.begun += 1
    try {
      let made = 0
      for (const [index, size] of sizes.entries()) {
        if (how === 'fail' && index === at) throw new Error('the disk is broken')
        if (index % 2 === 0) await turn()
        yield CONTENT.subarray(made, made + size)
        made += size
      }
    } finally {
      seen.ended += 1
    }
  }

  async function answer(id: string) {
    const scenario = asked.get(id) ?? assert.fail()
    const content = CONTENT.subarray(0, sum(scenario.sizes))
    const path = join(directory, id)
    const sources = {
      pieces: () => pieces(scenario),
      node: () => Readable.from(pieces(scenario)),
      web: () => ReadableStream.from(pieces(scenario)),
      path: async () => {
        await writeFile(path, content)
        return { path }
      },
      bytes: () => content,
      blob: () => new Blob([content]),
    }
    return sources[scenario.source]()
  }

  const { service } = await serve({
    name: 'archive',
    network,
    handlers: [implement(archive, { download: ({ input }) => answer(input.id) })],
  })
  const caller = await connected(network)
  after(async () => {
    await service.stop()
    await rm(directory, { recursive: true, force: true })
  })

  /** The bytes that a caller receives, and how it ends for it. */
  async function receive(id: string, { sizes, by, how, at, window }: Scenario): Promise<readonly [Buffer, string]> {
    const controller = new AbortController()
    const own = how === 'kill' ? network.client('tests') : undefined
    await own?.connect()
    const raw = by === 'foreign' ? await network.raw() : undefined
    const { signal } = controller
    const bodies = {
      http: async () => (await createHttpClient(archive, { baseUrl: service.url }).download({ id }, { signal })).body,
      nats: async () => (await (own ?? caller).client(archive).download({ id }, { signal })).body,
      foreign: () => receiveAll(raw ?? assert.fail(), 'archive.download', { id }, { ...window, leaseMs: 600 }),
    }
    const enough = sum(sizes.slice(0, at))
    const received: Uint8Array[] = []
    let bytes = 0
    try {
      for await (const chunk of (await bodies[by]()) ?? []) {
        received.push(chunk as Uint8Array)
        bytes += (chunk as Uint8Array).length
        if (how === 'end' || how === 'fail' || bytes < enough) continue
        // Its service no longer hears from it.
        if (how === 'kill' && by === 'foreign') await raw?.close()
        if (how === 'leave' || by === 'foreign') return [Buffer.concat(received), 'left']
        if (how === 'abort' || by === 'http') controller.abort(new Error('aborted'))
        if (how === 'kill') await own?.close()
      }
      return [Buffer.concat(received), 'done']
    } catch (error) {
      return [Buffer.concat(received), `failed: ${(error as Error).message}`]
    } finally {
      await own?.close()
      await raw?.close()
    }
  }

  test('a caller of a file sees exactly a prefix, never a part as the whole, and every source is closed', async () => {
    let count = 0
    await fc.assert(
      fc.asyncProperty(scenarios, async scenario => {
        const { sizes, source, how, at } = scenario
        const id = String(count++)
        asked.set(id, scenario)
        const [received, ended] = await receive(id, scenario)
        const whole = CONTENT.subarray(0, sum(sizes))
        assert.ok(received.equals(whole.subarray(0, received.length)), 'other bytes')
        const fails = how === 'fail' && at < sizes.length && ['pieces', 'node', 'web'].includes(source)
        if (fails) assert.match(ended, /^failed/)
        else if (how === 'end' || how === 'fail') assert.equal(ended, 'done')
        if (ended === 'done') assert.equal(received.length, whole.length)
        await until('every source is closed', () => seen.begun === seen.ended)
      }),
      { numRuns: RUNS },
    )
  })
}
