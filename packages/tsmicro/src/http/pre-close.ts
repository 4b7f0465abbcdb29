import type { FastifyInstance } from 'fastify'
import type { Log } from '../call/index.ts'
import { rootMessage } from '../errors/index.ts'

type Hook = (this: FastifyInstance, done?: (error?: unknown) => void) => unknown

/**
 * Lets no plugin's `preClose` that fails keep the others from theirs: Fastify ends at the first and tells nobody, and then the
 * WebSockets of another plugin are never told of the end.
 */
export function guardPreClose(server: FastifyInstance, log: Log): void {
  const tell = (error: unknown) => log.warn({ err: error }, `a preClose hook failed: ${rootMessage(error)}`)
  const addHook = server.addHook as (name: string, hook: Hook) => FastifyInstance
  // Of plugins' own instances, too, which inherit it.
  Reflect.set(server, 'addHook', function (this: FastifyInstance, name: string, hook: Hook) {
    const guarded = name === 'preClose' && typeof hook === 'function' ? guard(hook, tell) : hook
    return addHook.call(this, name, guarded)
  })
}

function guard(hook: Hook, tell: (error: unknown) => void): Hook {
  const run = async (server: FastifyInstance) => {
    if (hook.length === 0) return hook.call(server)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    hook.call(server, error => (error ? reject(error) : resolve()))
    return promise
  }
  return async function (this: FastifyInstance) {
    await run(this).catch(tell)
  }
}
