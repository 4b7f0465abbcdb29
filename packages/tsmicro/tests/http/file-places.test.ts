import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, file, procedure } from 'tsmicro/contract'
import { serve, type TestService } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'

const shop = contract('shop', {
  endless: procedure({ http: 'GET /endless', access: 'key', output: file('text/plain') }),
  take: procedure({ http: 'PUT /take', access: 'key', input: file('text/plain') }),
})

let folder = ''
let made: TestService
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsmicro-test-'))
  made = await serve({
    http: { temporaryFolder: folder },
    limits: { maxStreams: 1 },
    handlers: [
      implement(shop, {
        endless: async function* () {
          for (;;) yield Buffer.alloc(100_000)
        },
        take: () => {},
      }),
    ],
  })
})
after(async () => {
  await made?.service.stop()
  await rm(folder, { recursive: true, force: true })
})

const put = () =>
  fetch(`${made.service.url}/take`, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } })
const warnings = (route: string) => made.log.at('warn').filter(({ fields }) => fields.route === route).length

async function assertOverloaded(answer: Response): Promise<void> {
  assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [503, 'OVERLOADED'])
}

test('no more files are sent at the same time than there are places', async () => {
  const get = (signal?: AbortSignal) => fetch(`${made.service.url}/endless`, { signal: signal ?? null })
  const controller = new AbortController()
  const first = await get(controller.signal)
  assert.equal(first.status, 200)
  for (let i = 0; i < 3; i++) await assertOverloaded(await get())
  assert.equal(warnings('GET /endless'), 1)
  controller.abort()
  await until('its place is free', async () => {
    const answer = await get()
    await answer.body?.cancel()
    return answer.status === 200
  })
})

test('no more files are received at the same time than there are places', async () => {
  const socket = await dial(made.service.url)
  socket.write('PUT /take HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\nhalf')
  await until('it is received', async () =>
    (await readdir(folder, { recursive: true })).some(path => path.endsWith('file')),
  )
  await assertOverloaded(await put())
  assert.equal(warnings('PUT /take'), 1)
  socket.destroy()
  await until('its place is free', async () => (await put()).status === 200)
})
