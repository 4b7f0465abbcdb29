import { tcpUpstream } from './support.ts'

/** A request as its bytes say, read without any leniency. */
interface Recorded {
  /** Method and target. */
  readonly line: string
  /** Names in lower case; a repeated one is joined with ` | `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Whether its end arrived. */
  readonly complete: boolean
}

/**
 * An upstream that reads strictly: requests framed by one Content-Length or by `Transfer-Encoding: chunked`, and nothing between them.
 * It answers each with 200, and keeps all other bytes in `strays`.
 */
export async function recordingUpstream() {
  const requests: Recorded[] = []
  const strays: string[] = []
  const server = await tcpUpstream(socket => {
    let rest = ''
    socket.on('data', chunk => {
      rest += chunk.toString('latin1')
      for (;;) {
        const taken = takeRequest(rest)
        if (taken === 'more') return
        if (taken === 'stray') {
          strays.push(rest)
          socket.destroy()
          return
        }
        rest = taken.rest
        requests.push(taken.request)
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      }
    })
    socket.on('close', () => {
      const [line] = headOf(rest) ?? []
      if (line !== undefined) requests.push({ line, headers: {}, body: '', complete: false })
      else if (rest !== '') strays.push(rest)
    })
  })
  return { ...server, requests, strays }
}

type Taken = { readonly request: Recorded; readonly rest: string } | 'more' | 'stray'

function takeRequest(text: string): Taken {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return 'more'
  const head = headOf(text)
  if (head === undefined) return 'stray'
  const [line, headers] = head
  const { 'content-length': length, 'transfer-encoding': coding } = headers
  if (length !== undefined && (coding !== undefined || !/^\d+$/.test(length))) return 'stray'
  if (coding !== undefined && coding !== 'chunked') return 'stray'
  const start = end + 4
  if (coding === undefined) {
    const stop = start + Number(length ?? 0)
    if (text.length < stop) return 'more'
    return { request: { line, headers, body: text.slice(start, stop), complete: true }, rest: text.slice(stop) }
  }
  let body = ''
  for (let at = start; ; ) {
    const mark = text.indexOf('\r\n', at)
    if (mark === -1) return 'more'
    const size = text.slice(at, mark)
    if (!/^[0-9a-f]+$/i.test(size)) return 'stray'
    const stop = mark + 2 + Number.parseInt(size, 16)
    if (text.length < stop + 2) return 'more'
    if (text.slice(stop, stop + 2) !== '\r\n') return 'stray'
    body += text.slice(mark + 2, stop)
    at = stop + 2
    if (stop === mark + 2) return { request: { line, headers, body, complete: true }, rest: text.slice(at) }
  }
}

/** Returns method and target, and the header fields; undefined if the text is not the head of a request. */
function headOf(text: string): [string, Record<string, string>] | undefined {
  const [first = '', ...fields] = (text.split('\r\n\r\n', 1)[0] ?? '').split('\r\n')
  const line = /^([A-Z-]+ \/\S*) HTTP\/1\.1$/.exec(first)?.[1]
  const headers: Record<string, string> = {}
  for (const field of fields) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a header field must not contain any of them
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([^\x00-\x08\x0a-\x1f]*)$/.exec(field) ?? []
    if (name === '') return undefined
    const lower = name.toLowerCase()
    headers[lower] = headers[lower] === undefined ? value : `${headers[lower]} | ${value}`
  }
  return line === undefined ? undefined : [line, headers]
}
