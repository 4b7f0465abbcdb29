import { fileURLToPath } from 'node:url'
import { type Child, spawnChild } from '@tsmicro/infra'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface BlogProcess {
  readonly child: Child
  readonly url: string
}

/** Runs `main.ts` as in production, with only this environment. */
export function spawnMain(
  environment: NodeJS.ProcessEnv,
  args: readonly string[] = [],
  onLine?: (line: string) => void,
) {
  const { NODE_COMPILE_CACHE, NODE_OPTIONS } = process.env
  return spawnChild({
    name: 'blog',
    command: [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, ...args],
    // Otherwise only what makes Node start faster.
    env: { NODE_COMPILE_CACHE, NODE_OPTIONS, ...environment },
    deathSignal: 'KILL',
    ...(onLine ? { onLine } : {}),
  })
}

/** Starts the service as a process and waits until it reports that it is ready. */
export async function startProcess(environment: NodeJS.ProcessEnv): Promise<BlogProcess> {
  const ready = Promise.withResolvers<string>()
  const child = await spawnMain({ ...environment, LOG_LEVEL: 'info' }, [], line => {
    if (line.includes('"blog is ready"')) ready.resolve(JSON.parse(line).url)
  })
  child.exited.then(() => ready.reject(new Error(`blog ended while starting:\n${child.output.join('\n')}`)))
  return { child, url: await ready.promise }
}
