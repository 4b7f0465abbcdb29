import type { Question, Reply } from './protocol.ts'

/** What a child can be asked, by name. */
export type Tasks = Readonly<Record<string, (input: never) => unknown>>

/** Lets the parent process ask this one. Ends it when the parent has gone, however that ended. */
export function answerParent(tasks: Tasks): void {
  // A terminal's Ctrl-C reaches all processes of the group: the parent ends its children itself.
  process.on('SIGINT', () => {})
  process.once('disconnect', () => process.exit(0))
  process.on('message', async ({ id, name, input }: Question) => {
    let reply: Reply
    try {
      const task = tasks[name]
      if (!task) throw new Error(`nothing is known of ${name}`)
      reply = { id, output: await task(input as never) }
    } catch (error) {
      reply = { id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
    }
    process.send?.(reply)
  })
}
