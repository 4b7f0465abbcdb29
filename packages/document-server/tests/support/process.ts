import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** The server in its own process, from main.ts. */
export interface ServerProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** With user and password. */
  readonly url: string
  /** Without them. */
  readonly address: string
  /** Everything on standard output so far. */
  readonly lines: readonly string[]
}

export function spawnMain(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const command = [main, ...args]
  return spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
}

export const startProcess = (
  dir: string,
  more: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<ServerProcess> => whenReady(spawnMain(['--dir', dir, '--port', '0', ...more], env), dir)

/** The server in a process that cannot write files of more than about 2 MB, which looks like a full disk. */
export const startOnSmallDisk = (dir: string): Promise<ServerProcess> => {
  const command = [process.execPath, main, '--dir', dir, '--port', '0']
  const script = 'ulimit -f 4000; exec "$0" "$@"'
  return whenReady(spawn('sh', ['-c', script, ...command], { stdio: ['ignore', 'pipe', 'pipe'] }), dir)
}

async function whenReady(child: ChildProcess, dir: string): Promise<ServerProcess> {
  const lines: string[] = []
  const address = await new Promise<string>((done, fail) => {
    if (!child.stdout) return fail(new Error('no standard output'))
    createInterface({ input: child.stdout }).on('line', line => {
      lines.push(line)
      const match = /^document-server ready on (mongodb:\S+): /.exec(line)
      if (match?.[1]) done(match[1])
    })
    child.once('exit', code => fail(new Error(`main.ts ended with ${code}`)))
  })
  const password = await readFile(join(dir, 'password'), 'utf8').catch(() => '')
  const url = address.replace('//', `//app:${password}@`)
  return { child, url, address, lines, [Symbol.asyncDispose]: () => end(child, 'SIGKILL') }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

/** Waits for a process that ends by itself. */
export async function outcome(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', chunk => {
    stdout += chunk
  })
  child.stderr?.on('data', chunk => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}
