import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Log } from '../output/log.ts'
import { isInstalled, ModuleGraph, type Program, versionOf } from './graph.ts'
import { Reload } from './reload.ts'
import { Report } from './report.ts'
import { TypeCheck, type Verdict } from './types.ts'
import { shownPath, watchSources } from './watch.ts'

/** A process that follows its sources. */
export interface Followed {
  readonly name: string
  /** The absolute path of its main module. */
  readonly entry: string
  /** The absolute paths of files that it reads besides its modules. */
  readonly others?: readonly string[]
  /** Starts the new code, as these files have changed. Rejects if it does not get ready, or was given up. @returns what was done */
  readonly replace: (files: readonly string[], givenUp: AbortSignal) => Promise<string>
  /** What is so after a failed start. Default: the old one keeps running. */
  readonly whenFailed?: string
}

export interface FollowOptions {
  readonly root: string
  readonly configFile: string
  readonly dataDir: string
  readonly log: Log
  /** Whether mistakes in types keep the old code running. */
  readonly checkTypes: boolean
  readonly signal: AbortSignal
}

const COMPILED = /\.[cm]?tsx?$|\/tsconfig[^/]*\.json$/

/** Watches the sources of a system, and has each process restarted that a change touches. */
export class Follower {
  readonly #o: FollowOptions
  readonly #graph = new ModuleGraph()
  /** What each program consisted of before it was started. */
  readonly #started = new Map<string, Program>()
  readonly #config: Program
  readonly #syntax: Report
  readonly #typed: Report
  readonly #problems = new Set<string>()
  #followed: readonly Followed[] = []
  #reloads: readonly Reload[] = []
  #verdict: Promise<Verdict> = Promise.resolve({ faults: [] })
  #types: TypeCheck | undefined
  #configSaid = ''
  /** Whether a change could not be followed: any file may have changed then. */
  #isMissed = false

  /** To be made before the programs are started: it remembers their files. */
  constructor(programs: readonly Pick<Followed, 'entry' | 'others'>[], options: FollowOptions) {
    const { root, configFile, log } = options
    this.#o = options
    for (const { entry, others } of programs) this.#started.set(entry, this.#graph.program(entry, others))
    this.#config = this.#graph.program(configFile)
    const { say, paint } = log
    this.#syntax = new Report('syntax errors', { root, say, paint })
    this.#typed = new Report('type errors', { root, say, paint })
  }

  /** Follows until everything stops. */
  start(followed: readonly Followed[]): void {
    const { root, dataDir, log, checkTypes, signal } = this.#o
    const { say } = log
    const showOutput = (name: string) => (lines: readonly string[]) => {
      for (const line of lines) log.child(name, line)
    }
    this.#followed = followed
    this.#reloads = followed.map(({ name, entry, others, replace, whenFailed }) => {
      const program = this.#started.get(entry) ?? this.#graph.program(entry, others)
      const types = () => this.#verdict
      return new Reload({ name, root, program, replace, whenFailed, types, say, showOutput: showOutput(name), signal })
    })
    const own = followed
      .map(({ entry }) => entry)
      .filter(entry => shownPath(root, entry) !== entry && !isInstalled(entry))
    if (checkTypes) this.#prepareTypes(own)
    const onChange = (files: ReadonlySet<string> | undefined) => this.#changed(files)
    const watcher = watchSources({ folders: this.#folders(), dataDir, onChange, say })
    const stop = () => {
      this.#types?.stop()
      void watcher.close()
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    say(`following the sources of ${followed.map(({ name }) => name).join(', ')}`)
  }

  /** As {@link Reload.noteStart}, for the process of this name. */
  noteStart(name: string): () => void {
    return this.#reloads[this.#followed.findIndex(each => each.name === name)]?.noteStart() ?? (() => {})
  }

  #prepareTypes(entries: readonly string[]): void {
    const { root, dataDir, log } = this.#o
    const types = TypeCheck.prepare(root, dataDir, [...entries, this.#o.configFile])
    if (typeof types === 'string') log.say(`types are not checked: ${types}`)
    else this.#types = types
  }

  /** Called by a timer: what it throws would end everything. */
  #changed(files: ReadonlySet<string> | undefined): void {
    const { signal, log } = this.#o
    if (signal.aborted) return
    const changed = this.#isMissed ? undefined : files
    try {
      this.#isMissed = true
      this.#follow(changed)
      this.#isMissed = false
    } catch (error) {
      log.say(`a change could not be followed, the next one will be: ${error instanceof Error ? error.message : error}`)
    }
  }

  #follow(files: ReadonlySet<string> | undefined): void {
    this.#graph.forget(files)
    const programs = this.#followed.map(({ entry, others }) => this.#graph.program(entry, others))
    const faults = new Map(programs.flatMap(program => program.faults.map(fault => [fault.file, fault])))
    this.#syntax.show([...faults.values()])
    if (files === undefined || [...files].some(file => COMPILED.test(file))) this.#checkTypes(new Set(faults.keys()))
    for (const [index, program] of programs.entries()) {
      const isSaved = files !== undefined && [...files].some(file => program.files.has(file))
      this.#reloads[index]?.update(program, isSaved)
    }
    this.#tellOfConfig(programs)
  }

  /** @param unreadable files with syntax errors, which have been shown */
  #checkTypes(unreadable: ReadonlySet<string>): void {
    if (this.#types === undefined) return
    const verdict = this.#types.check().catch((error: unknown) => ({ faults: [], problem: String(error) }))
    this.#verdict = verdict
    void verdict.then(({ faults, problem }) => {
      if (this.#o.signal.aborted || verdict !== this.#verdict) return
      this.#typed.show(faults.filter(({ file }) => !unreadable.has(file)))
      if (problem !== undefined && !this.#problems.has(problem))
        this.#o.log.say(`types could not be checked: ${problem}`)
      if (problem !== undefined) this.#problems.add(problem)
    })
  }

  /** The configuration was read at the start, with everything that it loads. */
  #tellOfConfig(programs: readonly Program[]): void {
    const { root, configFile, log } = this.#o
    const now = this.#graph.program(configFile)
    const version = versionOf(now)
    if (version === this.#configSaid) return
    this.#configSaid = version
    const changed = [...now.files].filter(
      ([file, hash]) => this.#config.files.get(file) !== hash && !programs.some(({ files }) => files.has(file)),
    )
    if (changed.length === 0) return
    const names = changed.map(([file]) => shownPath(root, file)).join(', ')
    log.say(
      `! ${names}: everything has to start again to use the new ${shownPath(root, configFile)}: Ctrl-C, then tsmicro dev`,
    )
  }

  /** The project's folder, and those of workspace packages outside of it. */
  #folders(): string[] {
    const { root } = this.#o
    const manifests = [...this.#started.values()]
      .flatMap(({ files }) => [...files.keys()])
      .filter(file => file.endsWith('/package.json'))
    const outside = manifests.map(dirname).filter(folder => shownPath(root, folder) === folder && !isInstalled(folder))
    return [root, ...new Set(outside.map(folder => realpathSync(folder)))]
  }
}
