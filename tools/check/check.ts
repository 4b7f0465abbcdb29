/** One check of the workspace. Each stands alone, takes the root folder, and only reads. */
export type Check = {
  /** What `npm run check -- <name>` calls it. */
  readonly name: string
  /** What holds when it passes, for `--help`. */
  readonly promise: string
  readonly run: (root: string) => Promise<Result> | Result
}

export type Result = {
  /** One line each: where, and what to do. Empty when the check passes. */
  readonly problems: readonly string[]
  /** A short remark for the line of a check that passed: how much was looked at. */
  readonly note?: string
}
