/** A gateway in its own process, which reports how much memory it uses. Started by `childGateway`. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type KongConfig, startGateway } from '../src/index.ts'

/** In bytes, the highest since the process started. */
interface PeakMemory {
  readonly rss: number
  /** The size of buffers outside the heap, sampled every 20 ms. */
  readonly external: number
}

export interface ChildGateway extends AsyncDisposable {
  readonly port: number
  peak(): Promise<PeakMemory>
}

export async function childGateway(config: KongConfig): Promise<ChildGateway> {
  const child = fork(import.meta.filename, [JSON.stringify(config)])
  const [{ port }] = (await answer(child)) as [{ port: number }]
  const peak = async () => {
    child.send('peak')
    const [memory] = (await answer(child)) as [PeakMemory]
    return memory
  }
  const dispose = async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  return { port, peak, [Symbol.asyncDispose]: dispose }
}

function answer(child: ChildProcess): Promise<unknown[]> {
  const gone = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the gateway's process ended (${code ?? signal})`)
  })
  return Promise.race([once(child, 'message'), gone])
}

if (process.argv[1] === import.meta.filename && process.argv[2] !== undefined) {
  const { port } = await startGateway({ config: JSON.parse(process.argv[2]) as KongConfig, port: 0 })
  let external = 0
  setInterval(() => {
    external = Math.max(external, process.memoryUsage().external)
  }, 20)
  process.on('message', () => {
    process.send?.({ rss: process.resourceUsage().maxRSS * 1024, external } satisfies PeakMemory)
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ port })
}
