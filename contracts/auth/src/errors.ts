import { defineErrors } from 'tsmicro/contract'

/** The errors of the auth service, in addition to the framework's own. */
export const {
  EMAIL_TAKEN,
  CREDENTIALS_INVALID,
  TOKEN_INVALID,
  REFRESH_TOKEN_INVALID,
  USER_NOT_FOUND,
  API_KEY_INVALID,
  API_KEY_NOT_FOUND,
  LAST_ADMIN,
  LAST_API_KEY,
} = defineErrors({
  EMAIL_TAKEN: { status: 409, message: 'An account with this e-mail address already exists' },
  CREDENTIALS_INVALID: { status: 401, message: 'E-mail or password is wrong' },
  TOKEN_INVALID: { status: 401, message: 'The token is not valid' },
  REFRESH_TOKEN_INVALID: { status: 401, message: 'The session cannot be renewed; sign in again' },
  USER_NOT_FOUND: { status: 404, message: 'There is no such user' },
  API_KEY_INVALID: { status: 401, message: 'Invalid API key' },
  API_KEY_NOT_FOUND: { status: 404, message: 'There is no such API key' },
  LAST_API_KEY: {
    status: 409,
    message: 'Without this API key nobody could sign in: create another key that may WRITE first',
  },
  LAST_ADMIN: { status: 400, message: 'The last administrator must keep the role' },
})
