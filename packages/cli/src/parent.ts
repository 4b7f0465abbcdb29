/**
 * Calls `gone` when the process that started this one is no more: `kill -9` of npm would otherwise leave a supervisor nobody knows of.
 * The timer keeps nobody alive.
 */
export function watchParent(gone: () => void, everyMs = 500): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    gone()
  }, everyMs)
  timer.unref()
}
