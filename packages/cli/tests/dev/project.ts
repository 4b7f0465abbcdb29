import { once } from 'node:events'
import { mkdirSync, readFileSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Supervisor, tempDir } from '../support/supervisor.ts'

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))

/** Answers with its own word and that of the contract, finishes its requests on SIGTERM, and records each start. */
const service = (name: string, imports: string) => `import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
${imports}
const { HOST, PORT, LIFE = '' } = process.env
let isClosing = false
const server = createServer((req, res) => {
  if (isClosing) res.setHeader('connection', 'close')
  const body = JSON.stringify({ own, shared, pid: process.pid })
  setTimeout(() => res.end(body), req.url?.endsWith('/slow') ? 300 : 2)
})
server.listen(Number(PORT), HOST, () => appendFileSync(LIFE, '${name}\\n'))
process.on('SIGTERM', () => {
  isClosing = true
  server.close(() => process.exit(0))
})
`

// Not in TypeScript, as the compiler would check the sources of tsmicro with it.
const CONFIG = (names: readonly string[]) => `import { join } from 'node:path'
import { defineSystem } from '@tsmicro/cli'
import { gateway } from './gateway.mjs'

const env = system => ({ LIFE: join(system.dataDir, 'life') })
export default defineSystem({
  infra: [],
  services: {
${names.map((name, index) => `    ${name}: { entry: 'services/${name}/main.ts', port: ${18_031 + index}, env },\n`).join('')}  },
  gateway,
})
`

const KONG = (names: readonly string[]) => `_format_version: "3.0"
services:
${names.map((name, index) => `  - { name: ${name}, url: "http://${name}:${18_031 + index}", routes: [{ paths: [/${name}] }] }\n`).join('')}`

export interface Answer {
  readonly own: string
  readonly shared: string
  readonly pid: number
}

/** A project with services a and b, which share a contract, and c, which does not, that `tsmicro dev` runs. */
export class Project implements AsyncDisposable {
  readonly path: string
  readonly system: Supervisor
  readonly #dir = tempDir()

  constructor(...options: readonly string[]) {
    this.path = join(realpathSync(this.#dir.path), 'shop')
    const names = ['a', 'b', 'c']
    mkdirSync(this.path)
    symlinkSync(join(ROOT, 'node_modules'), join(this.path, 'node_modules'))
    this.write('package.json', '{"name":"shop","type":"module"}')
    this.write('tsconfig.json', JSON.stringify({ compilerOptions: COMPILER, include: ['services', '*.ts'] }))
    this.write('tsmicro.config.mjs', CONFIG(names))
    const entry = join(ROOT, 'packages/gateway/src/main.ts')
    this.write('gateway.mjs', `export const gateway = { entry: '${entry}', config: 'kong.yml' }\n`)
    this.write('kong.yml', KONG(names))
    this.write('contracts/shared.ts', "export const shared: string = 'shared 0'\n")
    for (const name of names) {
      const shared = name === 'c' ? "const shared = ''" : "import { shared } from '../../contracts/shared.ts'"
      this.write(`services/${name}/main.ts`, service(name, `import { own } from './own.ts'\n${shared}`))
      this.write(`services/${name}/own.ts`, `export const own: string = '${name} 0'\n`)
    }
    const env = { DATA_DIR: join(this.#dir.path, 'data'), LOG_LEVEL: 'warn' }
    this.system = new Supervisor(['dev', '--config', join(this.path, 'tsmicro.config.mjs'), ...options], env)
  }

  /** Writes a file as it is, or beside and then in its place, as many editors do. */
  write(file: string, text: string, how: 'plain' | 'renamed' = 'plain'): void {
    const path = join(this.path, file)
    mkdirSync(dirname(path), { recursive: true })
    if (how === 'plain') writeFileSync(path, text)
    else {
      writeFileSync(`${path}.tmp~`, text)
      renameSync(`${path}.tmp~`, path)
    }
  }

  /** How often each service has been started. */
  starts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const name of readFileSync(join(this.#dir.path, 'data', 'life'), 'utf8')
      .trim()
      .split('\n'))
      counts[name] = (counts[name] ?? 0) + 1
    return counts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.system[Symbol.asyncDispose]()
    this.#dir[Symbol.dispose]()
  }
}

const COMPILER = {
  ...{ target: 'es2024', module: 'nodenext', types: ['node'], strict: true, noEmit: true, skipLibCheck: true },
  ...{ allowImportingTsExtensions: true, erasableSyntaxOnly: true, verbatimModuleSyntax: true },
}

/** Pauses, as a load without them would take the processor from what it is there to watch. */
const PAUSE_MS = 30

/** Kept connections that ask one request after the other, until they are stopped. */
export class Load {
  readonly failures: string[] = []
  requests = 0
  readonly #agent = new Agent({ keepAlive: true })
  readonly #callers: readonly Promise<void>[]
  #isStopping = false

  constructor(urls: readonly string[]) {
    this.#callers = urls.map(url => this.#call(url))
  }

  async #call(url: string): Promise<void> {
    while (!this.#isStopping) {
      try {
        const req = request(url, { agent: this.#agent }).end()
        const [res] = (await once(req, 'response')) as [IncomingMessage]
        for await (const _ of res);
        if (res.statusCode !== 200) this.failures.push(`${url}: ${res.statusCode}`)
      } catch (error) {
        this.failures.push(`${url}: ${error}`)
      }
      this.requests += 1
      await sleep(PAUSE_MS)
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#callers)
    this.#agent.destroy()
  }
}

export async function ask(url: string): Promise<Answer> {
  return (await (await fetch(url)).json()) as Answer
}
