/**
 * Whose API key came with a request, as the gateway found out. That is the application that calls; who uses it is the
 * {@link Principal}.
 */
export interface Consumer {
  /** The key's id, never the key. */
  readonly id: string
  /** What the key permits, as the issuer of keys names it. */
  readonly permissions: readonly string[]
}
