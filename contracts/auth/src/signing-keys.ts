import { contract, procedure } from 'tsmicro/contract'
import Type, { type Static } from 'typebox'

/** RSA public keys (RFC 7517). */
export const JsonWebKeySet = Type.Object({
  keys: Type.Array(
    Type.Object({
      kty: Type.Literal('RSA'),
      kid: Type.String(),
      use: Type.Literal('sig'),
      alg: Type.Literal('RS256'),
      n: Type.String(),
      e: Type.String(),
    }),
  ),
})
export type JsonWebKeySet = Static<typeof JsonWebKeySet>

export const signingKeys = contract('auth', {
  jwks: procedure({
    http: 'GET /.well-known/jwks.json',
    access: 'open',
    summary: 'The public keys that anybody can verify tokens with, each with its `kid`',
    output: JsonWebKeySet,
    headers: {
      'cache-control': 'How long the keys may be kept: shorter than a new key is published before it signs',
      etag: 'Version of the keys',
    },
    bare: true,
    idempotent: true,
  }),
})
