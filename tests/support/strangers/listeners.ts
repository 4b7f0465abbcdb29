import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A socket that accepts connections (or UDP datagrams), and its owner. */
export interface Listener {
  readonly pid: number
  readonly kind: 'tcp' | 'tcp6' | 'udp' | 'udp6' | 'unix'
  /** In the kernel's hexadecimal form: `0100007F` is 127.0.0.1. Empty for `unix`. */
  readonly address: string
  /** 0 for `unix`. */
  readonly port: number
  /** The path of a Unix socket; an abstract one begins with a zero byte. */
  readonly path: string
}

const LISTENING = { tcp: '0A', tcp6: '0A', udp: '07', udp6: '07' } as const
const ACCEPTS = 0x1_00_00

/** Every socket on which one of the processes listens. */
export function listenersOf(pids: readonly number[]): readonly Listener[] {
  const owners = new Map(pids.flatMap(pid => socketsOf(pid).map(inode => [inode, pid] as const)))
  const found: Listener[] = []
  for (const [kind, state] of Object.entries(LISTENING) as [keyof typeof LISTENING, string][])
    for (const row of table(kind)) {
      const [, local = '', , itsState, , , , , , inode = ''] = row
      const pid = owners.get(inode)
      if (pid === undefined || itsState !== state) continue
      const [address = '', port = ''] = local.split(':')
      found.push({ pid, kind, address, port: Number.parseInt(port, 16), path: '' })
    }
  for (const [, , , flags = '0', , , inode = '', path = ''] of table('unix')) {
    const pid = owners.get(inode)
    if (pid !== undefined && (Number.parseInt(flags, 16) & ACCEPTS) !== 0)
      found.push({ pid, kind: 'unix', address: '', port: 0, path: path.replace(/^@/, '\0') })
  }
  return found
}

function table(kind: string): readonly (readonly string[])[] {
  const [, ...rows] = readFileSync(`/proc/net/${kind}`, 'utf8').trimEnd().split('\n')
  return rows.map(row => row.trim().split(/\s+/))
}

function socketsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).flatMap(fd => /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/${fd}`))?.[1] ?? [])
  } catch {
    return [] // gone
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
