import { createErrorClass } from '../errors/index.ts'

/** The server does not allow our user what we tried. Nothing to try again, and nobody's fault but our configuration's: 500. */
export const NOT_PERMITTED = createErrorClass<'NOT_PERMITTED', undefined>('NOT_PERMITTED', {
  status: 500,
  message: 'The NATS server does not permit this service to do that',
})
