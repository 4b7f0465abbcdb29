import { after } from 'node:test'
import { type Middleware, NatsClient, type ProcedureCall } from 'tsmicro'

/** A connected client with middleware, and the attempts made below it. */
export async function resilient(url: string, middleware: readonly Middleware<ProcedureCall>[], timeoutMs = 5000) {
  const attempts: string[] = []
  const counting: Middleware<ProcedureCall> = (call, next) => {
    attempts.push(call.procedure.name)
    return next()
  }
  const client = new NatsClient({ url, name: 'resilient', timeoutMs, middleware: [...middleware, counting] })
  await client.connect()
  after(() => client.close())
  return { client, attempts }
}
