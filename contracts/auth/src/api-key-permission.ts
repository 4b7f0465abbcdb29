import Type, { type Static } from 'typebox'

/** What the gateway lets a key do. READ: requests that change nothing. WRITE: all others, signing in among them. */
export const ApiKeyPermission = Type.Union([Type.Literal('READ'), Type.Literal('WRITE')])
export type ApiKeyPermission = Static<typeof ApiKeyPermission>
