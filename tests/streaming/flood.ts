import { contract, file, procedure, stream, upload } from 'tsmicro/contract'
import Type from 'typebox'

const maxBytes = 2 ** 31
const Received = Type.Object({ bytes: Type.Integer() })
const AsSlow = Type.Object({ slow: Type.Boolean() })
const open = { access: 'open', timeoutMs: 600_000 } as const

/** Answers and inputs of any length. */
export const flood = contract('flood', {
  follow: procedure({
    ...open,
    http: 'GET /follow',
    nats: 'follow',
    output: stream(Type.Object({ number: Type.Integer(), text: Type.String() }), { id: 'number' }),
  }),
  download: procedure({
    ...open,
    http: 'GET /download',
    nats: 'download',
    output: file('application/octet-stream'),
  }),
  raw: procedure({
    ...open,
    http: 'PUT /raw?slow',
    input: file('application/octet-stream', { maxBytes, fields: AsSlow }),
    output: Received,
  }),
  form: procedure({
    ...open,
    http: 'POST /form?slow',
    input: upload({ fields: AsSlow, files: { film: { maxBytes } } }),
    output: Received,
  }),
})

/** Of what is sent at once. */
export const CHUNK = Buffer.alloc(64 * 1024, 'x')
