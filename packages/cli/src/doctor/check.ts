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

/** What a check finds, or that it failed, and why: the other checks are shown then as well. */
export async function attempt(
  name: string,
  check: () => Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return [await check()].flat()
  } catch (error) {
    return [missing(name, `cannot be checked: ${error instanceof Error ? error.message : String(error)}`)]
  }
}

function finding(state: Finding['state'], name: string, found: string, hint: string | undefined): Finding {
  return { name, state, found, ...(hint !== undefined && { hint }) }
}
