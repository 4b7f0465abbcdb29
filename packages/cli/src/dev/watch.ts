import { basename, relative } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'

const QUIET_MS = 60
const LONGEST_MS = 500
const IGNORED = new Set(['node_modules', 'coverage', 'dist'])

export interface WatchOptions {
  readonly folders: readonly string[]
  /** What the system itself writes. */
  readonly dataDir: string
  /** Receives the files that have changed, appeared or gone; undefined = any may have. */
  readonly onChange: (files: ReadonlySet<string> | undefined) => void
  readonly say: (text: string) => void
}

/**
 * Watches folders, however editors write their files. What changes at once, such as a checkout of another branch, is gathered.
 * Nothing is lost while it starts: it then reports that any file may have changed.
 */
export function watchSources(options: WatchOptions): { close(): Promise<void> } {
  const { onChange, say } = options
  let watcher = open(options, false)
  const changed = new Set<string>()
  let any = false
  let firstAt = 0
  let timer: NodeJS.Timeout | undefined
  const report = () => {
    timer = undefined
    const files = any ? undefined : new Set(changed)
    any = false
    changed.clear()
    onChange(files)
  }
  const gather = (file: string | undefined) => {
    if (file === undefined) any = true
    else changed.add(file)
    if (timer === undefined) firstAt = performance.now()
    clearTimeout(timer)
    timer = setTimeout(report, Math.max(0, Math.min(QUIET_MS, firstAt + LONGEST_MS - performance.now())))
  }
  const listen = (to: FSWatcher) =>
    to
      .on('all', (event, file) => {
        if (event !== 'addDir' && event !== 'unlinkDir') gather(file)
      })
      .on('ready', () => gather(undefined))
      .on('error', error => {
        if (isLimit(error) && to === watcher) {
          say(`too many files to watch (${error.code}): they are looked at once a second instead`)
          void to.close()
          watcher = listen(open(options, true))
        } else if (!isLimit(error)) say(`changes to files may be missed: ${error}`)
      })
  listen(watcher)
  return {
    close: async () => {
      clearTimeout(timer)
      await watcher.close()
    },
  }
}

function open({ folders, dataDir }: WatchOptions, usePolling: boolean): FSWatcher {
  const isIgnored = (path: string) =>
    path === dataDir ||
    (!folders.includes(path) &&
      (IGNORED.has(basename(path)) || /^\.(?!env)/.test(basename(path)) || /~$|\.sw.$/.test(path)))
  return watch([...folders], {
    ignored: isIgnored,
    ignoreInitial: true,
    followSymlinks: false,
    usePolling,
    interval: 1000,
  })
}

const isLimit = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && ['ENOSPC', 'EMFILE', 'ENFILE'].includes(String(error.code))

/** How people call a file. */
export function shownPath(root: string, file: string): string {
  const path = relative(root, file)
  return path.startsWith('..') ? file : path
}
