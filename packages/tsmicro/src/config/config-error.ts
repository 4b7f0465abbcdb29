/** One thing that is wrong with one variable. Never contains the value of a secret. */
export interface ConfigProblem {
  readonly variable: string
  /** What is wrong, e.g. `is "eight", expected an integer from 1 to 65535`. */
  readonly message: string
}

/**
 * Everything that is wrong with the environment, at once: one line a variable.
 *
 * @example
 * try {
 *   loadConfig(Type.Object({ PORT: Type.Integer(), NAME: Type.String() }), { PORT: 'eight' })
 * } catch (error) {
 *   if (!(error instanceof ConfigError)) throw error
 *   error.problems.map(({ variable }) => variable).join() // 'PORT,NAME'
 * }
 */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable} ${message}`)
    super(`the environment does not fit:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}
