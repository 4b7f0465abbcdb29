// A file as the input and as the output: streamed, with its type and size checked before the handler runs.
import { createService, implement, VALIDATION_FAILED } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, file, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const { NO_PICTURE } = defineErrors({ NO_PICTURE: { status: 404, message: 'There is no picture' } })
const id = Type.Object({ id: Type.String({ pattern: '^[a-z]+$' }) })
const pictures = contract('pictures', {
  put: procedure({
    http: 'PUT /pictures/:id',
    access: 'open',
    input: file('image/png', { maxBytes: 1000, fields: id }),
  }),
  get: procedure({
    http: 'GET /pictures/:id',
    access: 'open',
    input: id,
    output: file('image/png'),
    errors: { NO_PICTURE },
  }),
})

const kept = new Map<string, Blob>()
const handlers = implement(pictures, {
  // The file waits on disk; `file.moveTo(path)` would keep it there.
  async put({ input: { id, file } }) {
    kept.set(id, new Blob([await file.arrayBuffer()]))
  },
  get({ input, errors }) {
    const content = kept.get(input.id)
    if (!content) throw new errors.NO_PICTURE()
    return { content, name: `${input.id}.png` }
  },
})

const log = createLogger({ name: 'pictures', level: 'silent' })
const module = { handlers: [handlers] }
const service = createService({ name: 'pictures', version: '1.0.0', module, log, http: { port: 0 } })
await service.start()

const client = createHttpClient(pictures, { baseUrl: service.url })
await client.put({ id: 'cat', file: new File(['a small cat'], 'cat.png', { type: 'image/png' }) })
const answer = await client.get({ id: 'cat' })
console.log(answer.headers.get('content-disposition'), await answer.text())

// The client refuses what the service would: nothing is sent.
const large = new File(['x'.repeat(1001)], 'large.png', { type: 'image/png' })
await client
  .put({ id: 'dog', file: large })
  .catch(error => console.log(error instanceof VALIDATION_FAILED && error.data))
await service.stop()

// Prints:
// attachment; filename=cat.png a small cat
// [ { path: 'file', message: 'must be at most 1000 bytes' } ]
