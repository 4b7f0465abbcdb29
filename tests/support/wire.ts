import type { BoundProcedure } from 'tsmicro/contract'
import { parseRoute } from 'tsmicro/internal'
import { percentEncoded } from './hostile/percent.ts'
import type { Input } from './inputs.ts'
import type { Sent } from './send.ts'

/** A request in the form that {@link send} takes. */
export interface Wire {
  readonly route: string
  readonly sent: Sent
}

/** Builds a procedure's request. `prefix` is the service's path at the gateway. */
export function wireOf({ http }: BoundProcedure, input: Input, prefix = ''): Wire {
  const { method, path } = parseRoute(http ?? '')
  const { params = {}, query = {}, body, headers = {}, file } = input
  const filled = path.replaceAll(/:([^/]+)/g, (_, name: string) => percentEncoded(String(params[name] ?? '')))
  const pairs = Object.entries(query).map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(String(value))}`)
  const search = pairs.length === 0 ? '' : `?${pairs.join('&')}`
  return {
    route: `${method} ${prefix}${filled}${search}`,
    sent: file ? formOf(file, headers) : { headers, ...(body === undefined ? {} : { json: body }) },
  }
}

function formOf({ name, type, bytes }: NonNullable<Input['file']>, headers: Input['headers']): Sent {
  const head = `content-disposition: form-data; name="${name}"; filename="x"\r\ncontent-type: ${type}`
  return {
    headers: { 'content-type': 'multipart/form-data; boundary=limit', ...headers },
    bytes: `--limit\r\n${head}\r\n\r\n${bytes}\r\n--limit--\r\n`,
  }
}
