/** What travels through every proxy. */

/** Every request of the load `get` is answered with this. About 200 bytes. */
export const SMALL_ANSWER = JSON.stringify({
  statusCode: '10000',
  message: 'success',
  data: { id: 'c1f7a9b2', title: 'Compilers, then and now', author: 'Grace Hopper', tags: ['history', 'compilers'] },
  at: '2026-01-01T12:00:00.000Z',
})

export const POST_BYTES = 10 * 1024
export const POST_BODY = JSON.stringify({ text: 'x'.repeat(POST_BYTES - 11) })

/** What a `POST` is answered with: how much came. */
export const receipt = (bytes: number) => JSON.stringify({ received: bytes })

/** A request field that asks for an answer of so many bytes. */
export const SIZE_FIELD = 'x-answer-bytes'

/** Asked by the check of API keys; says yes to every key. */
export const VERIFY_PATH = '/verify/apikey'
export const VERDICT = JSON.stringify({ valid: true, id: 'bench', permissions: ['READ', 'WRITE'] })
export const KEY = 'bench-key-0123456789abcdef'
