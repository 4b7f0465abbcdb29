/**
 * Who is calling, as an {@link AuthenticationProvider} found out. An application may add fields by declaration merging:
 *
 * @example
 * declare module 'tsmicro' { interface Principal { readonly name?: string } }
 */
export interface Principal {
  /** The user's id. */
  readonly id: string
  /** The session that the token belongs to, where there are sessions. */
  readonly sessionId?: string
}
