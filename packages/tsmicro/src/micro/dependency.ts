/** Something a service cannot work without: a database, NATS. Connected at start in the listed order, closed in reverse. */
export interface Dependency {
  readonly name: string
  /** Tried again until it succeeds or the start-up time is over; an `UnusableError` of `tsmicro`, also as a cause, ends that at once. */
  connect(): Promise<void>
  /** Rejects when it cannot be used now; answers within about two seconds. */
  check(): Promise<void>
  close(): Promise<void>
}
