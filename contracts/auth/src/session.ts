import { contract, frameworkErrors, procedure } from 'tsmicro/contract'
import Type, { type Static } from 'typebox'
import { CREDENTIALS_INVALID, EMAIL_TAKEN, REFRESH_TOKEN_INVALID } from './errors.ts'
import { Email, ProfilePicUrl, SignedInUser, UserName } from './user.ts'

const { TOO_MANY_REQUESTS } = frameworkErrors

export const SignUp = Type.Object({
  email: Email,
  password: Type.String({ minLength: 6, maxLength: 100 }),
  name: UserName,
  profilePicUrl: Type.Optional(ProfilePicUrl),
})
export type SignUp = Static<typeof SignUp>

// Looser than SignUp on purpose: credentials that cannot belong to an account get the same answer as a wrong password.
export const SignIn = Type.Object({
  email: Type.String({ minLength: 1, maxLength: 320 }),
  password: Type.String({ minLength: 1, maxLength: 100 }),
})
export type SignIn = Static<typeof SignIn>

export const Tokens = Type.Object({ accessToken: Type.String(), refreshToken: Type.String() })
export type Tokens = Static<typeof Tokens>

export const SignedIn = Type.Object({ user: SignedInUser, tokens: Tokens })
export type SignedIn = Static<typeof SignedIn>

const RefreshToken = Type.Object({ refreshToken: Type.String({ minLength: 1, maxLength: 8192 }) })

/** How clients start, renew and end sessions. */
export const session = contract('auth', {
  signUp: procedure({
    http: 'POST /signup/basic',
    access: 'key',
    summary: 'Create an account and sign in',
    input: SignUp,
    output: SignedIn,
    errors: { EMAIL_TAKEN, TOO_MANY_REQUESTS },
    message: 'Welcome',
  }),
  signIn: procedure({
    http: 'POST /signin/basic',
    access: 'key',
    summary: 'Sign in with e-mail address and password',
    input: SignIn,
    output: SignedIn,
    errors: { CREDENTIALS_INVALID, TOO_MANY_REQUESTS },
    message: 'Signed in',
  }),
  refresh: procedure({
    http: 'POST /token/refresh',
    access: 'key',
    summary: 'Renew the tokens; the Authorization header carries the access token, which may have expired',
    input: RefreshToken,
    output: Tokens,
    // Half the time in which the old pair yields the same answer again, so that callers who give up can still retry.
    timeoutMs: 5000,
    errors: { REFRESH_TOKEN_INVALID, TOO_MANY_REQUESTS },
    message: 'Renewed',
  }),
  signOut: procedure({
    http: 'DELETE /signout',
    access: 'user',
    summary: 'End this session in every service',
    message: 'Signed out',
  }),
  signOutByToken: procedure({
    http: 'POST /signout',
    access: 'key',
    summary: 'The same with only a refresh token, for when the access token has expired',
    input: RefreshToken,
    errors: { REFRESH_TOKEN_INVALID },
    message: 'Signed out',
    idempotent: true,
  }),
})
