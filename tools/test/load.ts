import { spawn } from 'node:child_process'

/** Computes without end, and ends with its parent: the channel between them closes then. */
const BUSY = `
process.once('disconnect', () => process.exit())
const compute = () => {
  const until = performance.now() + 50
  while (performance.now() < until);
  setImmediate(compute)
}
compute()
`

/** Processes that keep the machine busy until disposed of: as many as its load average is to be. */
export function startLoad(count: number): Disposable {
  const busy = Array.from({ length: count }, () =>
    spawn(process.execPath, ['--eval', BUSY], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], detached: true }),
  )
  return {
    [Symbol.dispose]() {
      for (const child of busy) child.kill('SIGKILL')
    },
  }
}
