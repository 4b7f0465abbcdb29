import type { Deadline } from '../call/index.ts'

/** Waits, and rejects with the deadline's reason as soon as that ends. Leaves no timer and no listener behind. */
export function pause(ms: number, deadline: Deadline): Promise<void> {
  deadline.throwIfEnded()
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      forget()
      resolve()
    }, ms)
    const forget = deadline.onEnd(reason => {
      clearTimeout(timer)
      reject(reason)
    })
  })
}
