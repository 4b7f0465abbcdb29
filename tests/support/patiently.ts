import { ApiError } from 'tsmicro/contract'
import type { Answer } from './send.ts'

const MOST = 20
const ERRORS: readonly unknown[] = ['SERVICE_UNAVAILABLE', 'DEADLINE_EXCEEDED', 'OVERLOADED', 'CHANGE_NOT_ANNOUNCED']

/** Whether a service answered that it is unavailable: on a very busy machine, deadlines pass by themselves. */
export function isUnavailable({ status, body }: Pick<Answer, 'status' | 'body'>): boolean {
  return (status === 503 || status === 504) && ERRORS.includes(body?.error)
}

/** Repeats a request about twenty times while the service is unavailable; for requests that may be repeated. */
export async function patiently<T extends Pick<Answer, 'status' | 'body'>>(ask: () => Promise<T>): Promise<T> {
  let answer = await ask()
  for (let asked = 1; isUnavailable(answer) && asked < MOST; asked++) answer = await ask()
  return answer
}

/** The same for a typed client's call that a test needs before it starts, and that may be repeated. */
export async function untilAvailable<T>(ask: () => Promise<T>): Promise<T> {
  for (let asked = 1; ; asked++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ApiError) || asked === MOST) throw error
      if (!isUnavailable({ status: error.status, body: { error: error.code } })) throw error
    }
  }
}
