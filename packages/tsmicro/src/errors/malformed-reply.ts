import { createErrorClass } from './define.ts'

/** Another service answered something that is not a reply, or not what its procedure declares. */
export const MALFORMED_REPLY = createErrorClass<'MALFORMED_REPLY', undefined>('MALFORMED_REPLY', {
  status: 500,
  message: 'Another service answered something unreadable',
})
