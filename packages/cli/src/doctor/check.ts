/** What one look has found. */
export interface Finding {
  /** For example `postgres`, `port 8000`. */
  readonly name: string
  /** `missing`: a system cannot start, or not work as it should. `note`: it can, with less. */
  readonly state: 'ok' | 'note' | 'missing'
  /** What is there, in one line without passwords. */
  readonly found: string
  /** How to set it right. */
  readonly hint?: string
}

export const ok = (name: string, found: string): Finding => ({ name, state: 'ok', found })
export const note = (name: string, found: string, hint?: string): Finding => finding('note', name, found, hint)
export const missing = (name: string, found: string, hint?: string): Finding => finding('missing', name, found, hint)

function finding(state: Finding['state'], name: string, found: string, hint: string | undefined): Finding {
  return { name, state, found, ...(hint !== undefined && { hint }) }
}
