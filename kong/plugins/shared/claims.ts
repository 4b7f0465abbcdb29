import { isGatewaysWord } from './identity.ts'

/** Removes from a request in Kong what a client says of itself. */
export function removeClaims(headers: LuaTable<string, HeaderValue>): void {
  for (const [name] of headers) if (isGatewaysWord(name)) ngx.req.clear_header(name)
}
