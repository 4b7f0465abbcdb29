import { DEADLINE_EXCEEDED } from 'tsmicro'

/** Waits so long for some work, which goes on unheeded. @throws {DEADLINE_EXCEEDED} when it takes longer */
export async function inTime<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DEADLINE_EXCEEDED()), ms)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
