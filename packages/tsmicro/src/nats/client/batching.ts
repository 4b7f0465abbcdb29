/** How calls are packed; see {@link Batcher}. */
export interface BatchingOptions {
  /**
   * Calls in one message at most. A message goes to one instance: too many at once would keep the others idle. Default 16,
   * at most 64.
   */
  readonly maxCalls?: number
  /** Characters of one message at most; a call that is larger than half of it travels alone. Default 65,536. */
  readonly maxLength?: number
}
