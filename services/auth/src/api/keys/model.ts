/** A signing key as all instances agree on it. Times in milliseconds since 1970, by the database's clock. */
export interface SigningKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  /** base64url, as in a JWK. */
  readonly modulus: string
  readonly exponent: string
  readonly signsFrom: number
  /** When the last token that it can have signed has expired; moved on as long as an instance has the private key. */
  readonly goodUntil: number
  readonly withdrawnAt: number | undefined
}
