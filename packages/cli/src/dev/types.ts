import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { childEnvironment, signalTree, spawnChild } from '@tsmicro/infra'
import type { Fault } from './source.ts'

/** What the compiler says. */
export interface Verdict {
  readonly faults: readonly Fault[]
  /** Why nothing could be checked. */
  readonly problem?: string
}

const LINE = /^(.+?)\((\d+),(\d+)\): error (TS\d+: .*)$/

/** Checks the types of the programs with the project's own compiler, in a process of its own. */
export class TypeCheck {
  readonly #root: string
  readonly #config: string
  readonly #compiler: string
  #current: Promise<Verdict> | undefined
  #next: Promise<Verdict> | undefined
  #end: (() => void) | undefined
  #stopped = false

  private constructor(root: string, config: string, compiler: string) {
    this.#root = root
    this.#config = config
    this.#compiler = compiler
  }

  /**
   * @param entries the main modules; types are checked of what they lead to
   * @returns a reason if the project has no compiler or no tsconfig.json
   */
  static prepare(root: string, dataDir: string, entries: readonly string[]): TypeCheck | string {
    const own = join(root, 'tsconfig.json')
    const files = entries.filter(entry => /\.[cm]?tsx?$/.test(entry))
    if (!existsSync(own)) return 'there is no tsconfig.json'
    if (files.length === 0) return 'nothing is written in TypeScript'
    let compiler: string
    try {
      compiler = join(dirname(createRequire(own).resolve('typescript/package.json')), 'bin', 'tsc')
    } catch {
      return 'typescript is not installed'
    }
    const folder = join(dataDir, 'dev')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const config = join(folder, 'tsconfig.json')
    const compilerOptions = {
      ...{ noEmit: true, incremental: true, composite: false, tsBuildInfoFile: join(folder, 'types.tsbuildinfo') },
      // Otherwise found from this file's folder, which may be anywhere.
      typeRoots: [join(root, 'node_modules', '@types')],
    }
    const include = [`${root}/*.d.ts`, `${root}/types/**/*.d.ts`]
    writeFileSync(config, JSON.stringify({ extends: own, compilerOptions, files, include, references: [] }))
    return new TypeCheck(root, config, compiler)
  }

  /** Checks what is on disk now. One check runs at a time: whoever asks meanwhile gets the next one. */
  check(): Promise<Verdict> {
    this.#next ??= (this.#current ?? Promise.resolve()).then(() => {
      this.#next = undefined
      this.#current = this.#run()
      return this.#current
    })
    return this.#next
  }

  /** Ends the compiler. */
  stop(): void {
    this.#stopped = true
    this.#end?.()
  }

  async #run(): Promise<Verdict> {
    if (this.#stopped) return { faults: [] }
    const faults: Fault[] = []
    const others: string[] = []
    const child = await spawnChild({
      name: 'the compiler',
      command: [process.execPath, this.#compiler, '-p', this.#config, '--pretty', 'false'],
      cwd: this.#root,
      env: childEnvironment(),
      deathSignal: 'KILL',
      onLine: line => {
        const [, file, at, column, message] = LINE.exec(line) ?? []
        const last = faults.at(-1)
        if (file !== undefined && message !== undefined)
          faults.push({ file: resolve(this.#root, file), line: Number(at), column: Number(column), message })
        else if (last !== undefined && /^\s+\S/.test(line))
          faults[faults.length - 1] = { ...last, message: `${last.message}\n${line}` }
        else if (line.trim() !== '') others.push(line)
      },
    })
    this.#end = () => {
      if (!child.hasExited) signalTree(child.pid, 'SIGKILL')
    }
    if (this.#stopped) this.#end()
    const { code, signal } = await child.exited
    this.#end = undefined
    if (code === 0 || faults.length > 0 || this.#stopped) return { faults }
    return { faults: [], problem: others.slice(0, 3).join('; ') || `the compiler ended with ${signal ?? code}` }
  }
}
