/** Both validators of a GET's answer (RFC 9110, 8.8), as sent. */
interface Validators {
  readonly etag?: string | undefined
  readonly 'last-modified'?: string | undefined
}

type Asked = Readonly<Record<'if-none-match' | 'if-modified-since', string | undefined>>

const TAGS = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g

/** Whether a client already has this answer of a GET, so that 304 is enough (RFC 9110, 13.2.2). */
export function isNotModified(
  asked: Readonly<Partial<Asked>>,
  { etag, 'last-modified': modified }: Validators,
): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since } = asked
  if (etag === undefined && modified === undefined) return false
  if (tags !== undefined) {
    if (tags.trim() === '*') return true
    const opaque = etag?.replace(/^W\//, '')
    return tags.matchAll(TAGS).some(([, tag]) => tag === opaque)
  }
  if (since === undefined || modified === undefined) return false
  return /GMT$/.test(since) && Date.parse(modified) <= Date.parse(since)
}
