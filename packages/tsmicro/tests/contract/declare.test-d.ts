/** What a contract may say. Checked by tsc alone. */
import { type ApiError, contract, defineErrors, defineRoles, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'

const Id = Type.Object({ id: Type.String() })
const roles = defineRoles('READER', 'WRITER')

// @ts-expect-error: access is missing
procedure({ http: 'GET /a' })
// @ts-expect-error: access is not one of the words
procedure({ http: 'GET /a', access: 'public' })
// @ts-expect-error: no such method
procedure({ http: 'FETCH /a', access: 'key' })
// @ts-expect-error: a status of success only
procedure({ http: 'GET /a', access: 'key', status: 404 })
// @ts-expect-error: a name is not an error class
procedure({ http: 'GET /a', access: 'key', errors: { GONE: 'gone' } })
// @ts-expect-error: a word that is misspelt
procedure({ http: 'GET /a', access: 'key', outputs: Id })
// @ts-expect-error: a word that is no longer one
procedure({ http: 'POST /a', access: 'key', body: Id })
procedure({ http: 'GET /a', access: roles.WRITER })
// @ts-expect-error: no such role
roles.ADMIN

event({ subject: 'a.b', aggregate: 'id', data: Id })
event({ subject: 'a.b', aggregate: 'id', data: z.object({ id: z.string() }) })
// @ts-expect-error: not a field of the data
event({ subject: 'a.b', aggregate: 'ID', data: Id })
// @ts-expect-error: not a field of the data, in another library
event({ subject: 'a.b', aggregate: 'ID', data: z.object({ id: z.string() }) })
// @ts-expect-error: neither procedure nor event
contract('shop', { a: { http: 'GET /a', access: 'key' } })

const { GONE, FULL } = defineErrors({
  GONE: { status: 410, message: 'Gone' },
  FULL: { status: 409, message: 'Full', data: z.object({ left: z.number() }) },
})
const left: number = new FULL({ left: 1 }).data.left
const code: 'GONE' = new GONE().code
// @ts-expect-error: data of another type
new FULL({ left: '1' })
void [left, code]

void told
declare const failure: ApiError
function told(): string {
  if (failure instanceof GONE) return failure.code
  if (failure instanceof FULL) return String(failure.data.left)
  return failure.message
}
