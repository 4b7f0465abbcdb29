import { execFile } from 'node:child_process'
import { constants, existsSync } from 'node:fs'
import { access, readdir, readFile, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { isAlive, isPortFree } from '@tsmicro/infra'
import { type Finding, missing, note, ok } from './check.ts'

const run = promisify(execFile)
const LITTLE_BYTES = 1024 ** 3
const LEAST_BYTES = 64 * 1024 ** 2
const DAY_MS = 86_400_000
const FEW_WATCHES = 8192

/** Node, which runs this, and npm. */
export async function checkNode(): Promise<Finding[]> {
  const node = ok('node', `${process.versions.node} (${process.execPath})`)
  const npm = await run('npm', ['--version'], { timeout: 30_000 }).then(
    ({ stdout }) => ok('npm', stdout.trim()),
    () =>
      note('npm', 'not on PATH', 'tsmicro new and tsmicro add install packages with it: install Node, which brings it'),
  )
  return [node, npm]
}

/** Whether the data folder can be used, and by whom it is. */
export async function checkDataFolder(dataDir: string): Promise<Finding> {
  const name = 'data folder'
  const path = resolve(dataDir)
  if (!existsSync(path)) {
    const parent = existing(path)
    return (await isWritable(parent))
      ? ok(name, `${path} does not exist yet, and can be made`)
      : missing(
          name,
          `${path} does not exist, and ${parent} is not writable`,
          'name a folder of your own with DATA_DIR',
        )
  }
  const found = await stat(path)
  if (!found.isDirectory()) return missing(name, `${path} is not a folder`, 'name a folder of your own with DATA_DIR')
  const { uid, mode } = found
  if (!(await isWritable(path)))
    return missing(name, `${path} is not writable`, 'name a folder of your own with DATA_DIR')
  if (!existsSync(join(path, '.tsmicro')) && !(await isEmpty(path)))
    return missing(name, `${path} has files that are not tsmicro's`, 'name an empty or a new folder with DATA_DIR')
  if ((mode & 0o077) !== 0 && uid !== process.getuid?.())
    return missing(
      name,
      `${path} is open to others and belongs to somebody else`,
      'name a folder of your own with DATA_DIR',
    )
  const pid = await holderOf(path)
  return ok(name, pid === undefined ? path : `${path}, in use by pid ${pid}`)
}

/** The process that runs a system on the data folder. */
export async function holderOf(dataDir: string): Promise<number | undefined> {
  if (!existsSync(join(dataDir, 'control.json'))) return undefined
  const pid = Number(await readFile(join(dataDir, '.lock-pid'), 'utf8').catch(() => ''))
  return pid > 1 && isAlive(pid) ? pid : undefined
}

/** Room for data, and for what servers need while they start. */
export async function checkDisk(dataDir: string): Promise<Finding[]> {
  const folders = new Set([existing(resolve(dataDir)), tmpdir()])
  return Promise.all(
    [...folders].map(async folder => {
      const { bavail, bsize } = await statfs(folder)
      const bytes = bavail * bsize
      const found = `${(bytes / 1024 ** 3).toFixed(1)} GiB free at ${folder}`
      if (bytes < LEAST_BYTES) return missing('disk', found, 'make room there')
      return bytes < LITTLE_BYTES ? note('disk', found, 'make room there before it is full') : ok('disk', found)
    }),
  )
}

/** Who this runs as, and what that user may do. */
export async function checkPermissions(): Promise<Finding[]> {
  const uid = process.getuid?.()
  const user = ok('user', uid === 0 ? 'root' : uid === undefined ? process.platform : `uid ${uid}`)
  const temporary = tmpdir()
  const writable = (await isWritable(temporary))
    ? ok('temporary files', temporary)
    : missing('temporary files', `${temporary} is not writable`, 'name another folder with TMPDIR')
  const watches = Number(await readFile('/proc/sys/fs/inotify/max_user_watches', 'utf8').catch(() => Number.NaN))
  if (!(watches < FEW_WATCHES)) return [user, writable]
  const hint = `sysctl fs.inotify.max_user_watches=65536, or tsmicro dev looks at the files once a second`
  return [user, writable, note('file watches', `${watches} at most`, hint)]
}

/** The gateway's port has to be free; a service gets another one instead. */
export async function checkPort(name: string, port: number, isRequired: boolean): Promise<Finding> {
  if (port === 0 || (await isPortFree(port))) return ok(`port ${port}`, `free for ${name}`)
  const found = `another program uses it, ${name} cannot`
  return isRequired
    ? missing(`port ${port}`, found, `stop that program, or choose another port with GATEWAY_PORT=${port + 80}`)
    : note(`port ${port}`, found, `${name} gets a free one`)
}

/** Tokens, sessions and events have times. A wrong clock refuses good tokens and lets old ones pass. */
export async function checkClock(): Promise<Finding> {
  const now = new Date()
  const installedAt = (await stat(import.meta.filename)).mtimeMs
  const hint = 'set the clock, and let it be synchronized: timedatectl set-ntp true'
  if (now.getTime() < installedAt - DAY_MS)
    return missing('clock', `${now.toISOString()} is before this program was installed`, hint)
  const text = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value'], { timeout: 5000 }).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  )
  if (text === 'no') return note('clock', `${now.toISOString()}, which nothing synchronizes`, hint)
  return ok('clock', `${now.toISOString()}${text === 'yes' ? ', synchronized' : ''}`)
}

const isWritable = (folder: string): Promise<boolean> =>
  access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )

const isEmpty = async (folder: string): Promise<boolean> => (await readdir(folder)).length === 0

/** The folder itself, or the nearest one above it that exists. */
function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder))
}
