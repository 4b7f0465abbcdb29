const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,8192})$/i

/** The token of an `Authorization: Bearer` header (RFC 6750); `undefined` when there is none or it is malformed. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
}
