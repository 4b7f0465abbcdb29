import type { Child } from './process/child.ts'

/** Looks for the line that says a server is ready. */
export function awaitReady(pattern: RegExp): {
  line(text: string): void
  outcome(child: Child, timeoutMs: number): Promise<'ready' | 'exited' | 'late'>
} {
  const seen = Promise.withResolvers<'ready'>()
  return {
    line: text => {
      if (pattern.test(text)) seen.resolve('ready')
    },
    outcome: async (child, timeoutMs) => {
      const late = Promise.withResolvers<'late'>()
      const timer = setTimeout(() => late.resolve('late'), Math.max(timeoutMs, 0))
      try {
        return await Promise.race([seen.promise, child.exited.then(() => 'exited' as const), late.promise])
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
