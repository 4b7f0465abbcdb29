/**
 * Runs a command with the arguments of this process; its result is the exit code. If it throws, as for wrong arguments, the message
 * goes to stderr, after the command's name, and the exit code is 2.
 */
export async function runCommand(
  name: string,
  help: string,
  run: (args: string[]) => number | Promise<number>,
): Promise<void> {
  const args = process.argv.slice(2)
  try {
    if (args.includes('--help')) console.log(help)
    else process.exitCode = await run(args)
  } catch (error) {
    console.error(`${name}: ${messageOf(error)} (see --help)`)
    process.exitCode = 2
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
