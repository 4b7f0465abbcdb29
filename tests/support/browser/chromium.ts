import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { childEnvironment, endChild, signalTree, spawnChild } from '@tsmicro/infra'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome']
const found = await findChromium()

/** Why tests that need a browser are skipped here, or `false`. */
export const noChromium = found === undefined ? 'no chromium on PATH' : false

interface Page extends AsyncDisposable {
  /** Resolves to the output if the page's program fails or Chromium exits by itself. */
  readonly failed: Promise<string>
  /** The address of Chromium's debugger. */
  readonly debuggerUrl: Promise<string>
}

/** Opens a page in a new headless Chromium, which closes on disposal. @param flags more of Chromium's options */
export async function openPage(url: string, ...flags: readonly string[]): Promise<Page> {
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-chromium-'))
  const uncaught = Promise.withResolvers<string>()
  const debuggerUrl = Promise.withResolvers<string>()
  const child = await spawnChild({
    name: 'chromium',
    command: [
      ...[found ?? 'chromium', '--headless', '--remote-debugging-port=0', `--user-data-dir=${directory}`],
      ...['--no-first-run', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
      // Its sandbox needs an ordinary user, and user namespaces that containers may lack. It only opens this one page.
      ...['--no-sandbox', '--enable-logging=stderr', ...flags, url],
    ],
    env: { ...childEnvironment(), HOME: directory },
    deathSignal: 'KILL',
    onLine: line => {
      if (/CONSOLE.*(Uncaught|Refused)/.test(line)) uncaught.resolve(line)
      const [, address] = /DevTools listening on (ws:\S+)/.exec(line) ?? []
      if (address !== undefined) debuggerUrl.resolve(address)
    },
  })
  return {
    debuggerUrl: debuggerUrl.promise,
    failed: Promise.race([
      uncaught.promise,
      child.exited.then(() => `chromium ended by itself:\n${child.output.join('\n')}`),
    ]),
    [Symbol.asyncDispose]: async () => {
      if (!child.hasExited) signalTree(child.pid, 'SIGKILL')
      await endChild(child, 'SIGKILL', 1000)
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
    },
  }
}

async function findChromium(): Promise<string | undefined> {
  for (const program of PROGRAMS)
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder, program)
      if (
        folder !== '' &&
        (await access(file).then(
          () => true,
          () => false,
        ))
      )
        return file
    }
  return undefined
}
