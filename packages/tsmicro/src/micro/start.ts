import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Log } from '../call/index.ts'
import { rootMessage, unusableIn, within } from '../errors/index.ts'
import type { Dependency, Preparation } from './module.ts'
import type { ServiceOptions, TestHooks } from './options.ts'
import { isFastifyError, StartError } from './start-error.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2000
const NO_ANSWER = 'no answer'

/**
 * Connects a dependency, and retries with growing pauses; logs each time what it is waiting for.
 * @throws {StartError} if that does not succeed within `timeoutMs`, even if an attempt hangs, and at once if waiting does not
 * help (`UnusableError`); the signal's reason if it aborts
 */
export async function connectWithRetry(
  dependency: Pick<Dependency, 'name' | 'connect'>,
  timeoutMs: number,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const { name } = dependency
  const endsAt = performance.now() + timeoutMs
  let reason = NO_ANSWER
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      signal.throwIfAborted()
      await within(endsAt - performance.now(), dependency.connect(), () => new Error(NO_ANSWER), signal)
      log.info({ dependency: name }, `${name} is connected`)
      return
    } catch (err) {
      signal.throwIfAborted()
      const refused = unusableIn(err)
      if (refused) throw new StartError(`${name} cannot be used: ${refused.message}`, { cause: err })
      // An earlier error says more than that there is no answer.
      const message = rootMessage(err)
      if (message !== NO_ANSWER) reason = message
      if (performance.now() + wait > endsAt) {
        throw new StartError(`${name} did not become usable within ${timeoutMs / 1000} s: ${reason}`, { cause: err })
      }
      log.info({ dependency: name, reason }, `waiting for ${name}: ${reason}`)
      await sleep(wait, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

/** Runs the steps between connecting and opening the doors, in order. @throws {StartError} naming the failed step */
export async function prepare(steps: readonly Preparation[], log: Log, signal: AbortSignal): Promise<void> {
  for (const step of steps) {
    signal.throwIfAborted()
    try {
      await step.run()
    } catch (cause) {
      throw new StartError(`${step.name} failed: ${unusableIn(cause)?.message ?? rootMessage(cause)}`, { cause })
    }
    log.info({ step: step.name }, `${step.name} done`)
  }
  signal.throwIfAborted()
}

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken, choose another with PORT',
  EACCES: 'the port needs privileges, choose one above 1023 with PORT',
  EADDRNOTAVAIL: 'this machine does not have the address, choose another with HOST',
  ENOTFOUND: 'the host name is unknown, choose another with HOST',
}

/** Opens the HTTP door; resolves to its URL, or '' in a test. @throws {StartError} if the address cannot be used */
export async function listen(
  server: FastifyInstance,
  { name, http = {} }: ServiceOptions,
  hooks?: TestHooks,
): Promise<string> {
  const { host = '127.0.0.1', port = 0 } = http
  try {
    if (hooks) await server.ready()
    else await server.listen({ host, port })
  } catch (cause) {
    const hint = HINTS[(cause as NodeJS.ErrnoException).code ?? '']
    if (isFastifyError(cause)) throw new StartError(`the HTTP door of ${name}: ${cause.message}`, { cause })
    if (!hint) throw cause
    throw new StartError(`${name} cannot listen on ${host}:${port}: ${hint}`, { cause })
  }
  if (hooks) return ''
  const bound = (server.server.address() as AddressInfo).port
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
}
