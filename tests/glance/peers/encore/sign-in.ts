import { APIError, Gateway, type Header } from 'encore.dev/api'
import { authHandler } from 'encore.dev/auth'

interface Credentials {
  authorization: Header<'Authorization'>
}

interface AuthData {
  userID: string
  roles: string[]
}

/** Stands for the application's sign-in: the token says which roles the user has. */
export const auth = authHandler<Credentials, AuthData>(async ({ authorization }) => {
  const [, role] = /^Bearer (\w+)$/.exec(authorization) ?? []
  if (role === undefined) throw APIError.unauthenticated('sign in first')
  return { userID: 'ada', roles: [role] }
})

export const gateway = new Gateway({ authHandler: auth })
