import { UnusableError } from '../errors/index.ts'

/** Files, named as by the options of the nats CLI. */
const FILES = ['creds', 'nkey', 'tlsca', 'tlscert', 'tlskey'] as const
type File = (typeof FILES)[number]

/** What a URL of NATS says: where to connect, as whom, and how the connection is protected. */
export interface ServerUrl {
  /** `host:port`, or `host`. */
  readonly hosts: readonly string[]
  /** Decoded. Without a password, the user is a token. */
  readonly user: string
  readonly password: string
  /** Paths of files. */
  readonly files: Readonly<Partial<Record<File, string>>>
  /** A server without TLS is refused. */
  readonly tls: boolean
  /** The handshake comes before the server's greeting. */
  readonly tlsFirst: boolean
}

/** @throws {UnusableError} for a URL that cannot be used; its message omits the URL, which may contain a password */
export function parseServerUrl(url: string): ServerUrl {
  const start = url.indexOf('?')
  const servers = serversOf(start === -1 ? url : url.slice(0, start))
  const { files, tlsFirst } = parametersOf(new URLSearchParams(start === -1 ? '' : url.slice(start)))
  const { username = '', password = '' } = servers[0] ?? {}
  const identities = [username !== '', files.creds !== undefined, files.nkey !== undefined].filter(Boolean)
  if (identities.length > 1)
    throw new UnusableError('the URL of NATS names more than one of user, creds and nkey: keep one')
  if ((files.tlscert === undefined) !== (files.tlskey === undefined))
    throw new UnusableError('the URL of NATS has only one of tlscert and tlskey: a certificate needs its key')
  const asked = tlsFirst || files.tlsca !== undefined || files.tlscert !== undefined
  return {
    hosts: servers.map(({ host }) => host),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    files,
    tls: asked || servers.some(({ protocol }) => protocol === 'tls:'),
    tlsFirst,
  }
}

function parametersOf(parameters: URLSearchParams): Pick<ServerUrl, 'files' | 'tlsFirst'> {
  const files: Partial<Record<File, string>> = {}
  let tlsFirst = false
  for (const [name, value] of parameters) {
    const file = FILES.find(each => each === name)
    if (file !== undefined && value !== '') files[file] = value
    else if (name === 'tlsfirst' && ['', 'true', 'false'].includes(value)) tlsFirst = value !== 'false'
    else
      throw new UnusableError(
        `the URL of NATS has the parameter ${JSON.stringify(name)}: use ${FILES.join(', ')} with the path of a file, or tlsfirst`,
      )
  }
  return { files, tlsFirst }
}

function serversOf(list: string): readonly URL[] {
  try {
    return list.split(',').map(each => {
      const server = new URL(each.includes('://') ? each.trim() : `nats://${each.trim()}`)
      if (!['nats:', 'tls:'].includes(server.protocol) || server.host === '') throw new TypeError('not a NATS server')
      decodeURIComponent(`${server.username}${server.password}`)
      return server
    })
  } catch {
    throw new UnusableError(
      'the URL cannot be read: expected nats://user:password@host:port, with special characters of the password percent-encoded (@ is %40)',
    )
  }
}

/** Who the server knows us as, for messages: `user "blog"`. */
export function identityOf({ user, password, files }: ServerUrl): string {
  if (files.creds !== undefined) return `the user of ${files.creds}`
  if (files.nkey !== undefined) return `the nkey of ${files.nkey}`
  if (user === '') return files.tlscert === undefined ? 'a client without credentials' : `the owner of ${files.tlscert}`
  return password === '' ? 'the bearer of this token' : `user ${JSON.stringify(user)}`
}

/** What to check when the server refuses it. */
export function identityHint({ user, files }: ServerUrl): string {
  if (files.creds !== undefined) return 'check that the file is current, and that the server knows its account'
  if (files.nkey !== undefined) return 'check that the file is current, and the nkeys of the server'
  if (user === '') return 'name a user in its URL, or a file with creds or nkey'
  return 'check the name and password in the URL, and the users of the server'
}
