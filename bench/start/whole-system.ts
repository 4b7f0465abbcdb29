import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '@tsmicro/infra'
import { ROOT } from '../install.ts'

/** What `npm start` says at its end. */
const READY = /everything is ready/

/**
 * Runs `npm start` until everything is ready, then ends it as Ctrl-C does.
 * @param dataDir empty for a first start; the same again for a warm one
 * @returns milliseconds from the command until it says that everything is ready
 */
export async function startWholeSystem(dataDir: string, signal: AbortSignal): Promise<number> {
  const npm = process.env.npm_execpath
  const [command = 'npm', ...args] = npm ? [process.execPath, npm, 'start'] : ['npm', 'start']
  const began = performance.now()
  const child = spawn(command, args, {
    cwd: fileURLToPath(ROOT),
    env: { ...childEnvironment(), DATA_DIR: dataDir, GATEWAY_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  const stop = () => child.kill('SIGINT')
  signal.addEventListener('abort', stop, { once: true })
  let output = ''
  let startMs: number | undefined
  const read = (chunk: Buffer) => {
    output = `${output}${chunk}`.slice(-5000)
    if (startMs !== undefined || !READY.test(output)) return
    startMs = performance.now() - began
    stop()
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  await ended
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  if (startMs === undefined) throw new Error(`npm start did not get ready:\n${output}`)
  return startMs
}
