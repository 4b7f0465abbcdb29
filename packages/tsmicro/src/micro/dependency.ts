/**
 * Something a service cannot work without: a database, NATS. Connected at start in the listed order, closed in reverse.
 *
 * @example
 * const search: Dependency = {
 *   name: 'search',
 *   connect: async () => {},
 *   check: async () => {},
 *   close: async () => {},
 * }
 * const module: Module = { dependencies: [search] }
 */
export interface Dependency {
  readonly name: string
  /** Tried again until it succeeds or the start-up time is over; an `UnusableError` of `tsmicro`, also as a cause, ends that at once. */
  connect(): Promise<void>
  /** Rejects when it cannot be used now; answers within about two seconds. */
  check(): Promise<void>
  close(): Promise<void>
}
