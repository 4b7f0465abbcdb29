/*
 * Where a service hears that nobody waits for a call any more, `_TSMICRO.cancel.<service>`, every instance listens; the one
 * that works on the call aborts it. The message is a list of ids, one a line.
 */

/** Ids in one message. */
export const MOST_CANCELLED = 1000

/** A call's id: its reply subject, which nobody else can guess; in a batch its token behind that. */
export function encodeCallId(reply: string, token: string | undefined): string {
  return token === undefined ? reply : `${reply} ${token}`
}

export function readCallIds(text: string): readonly { readonly reply: string; readonly token: string | undefined }[] {
  return text.split('\n').map(id => {
    const [reply = '', token] = id.split(' ')
    return { reply, token }
  })
}
