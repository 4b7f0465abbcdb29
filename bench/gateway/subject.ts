/** Where a proxy listens, and what it wants to be asked. Travels between processes. */
export interface Door {
  readonly port: number
  /** Paths of `GET`, asked in turn. */
  readonly paths: readonly string[]
  readonly postPath: string
  readonly headers: Readonly<Record<string, string>>
}

/** One proxy that is measured, in a process of its own, which is ended by its parent. */
export interface Subject {
  /** Resolves when requests are forwarded to the upstream on that port. */
  readonly open: (upstreamPort: number) => Promise<Door>
}
