import { type Checked, isCleanText, type Schema } from '../schema/index.ts'
import type { Part, RawInput } from './input.ts'
import { compileText } from './text-input.ts'

/** What a request's fields were gathered to, or why they could not be. */
type Gathered = { readonly data: unknown } | { readonly refused: Checked }

/**
 * Prepares the reading of a whole-request schema: its fields come from the path, and the others from the query or the
 * body. Only what arrived as text is converted: in a JSON body `"5"` is no number, as it is none over NATS.
 */
export function compileWholeRequest(
  request: Schema,
  pathParams: readonly string[],
  inQuery: boolean,
): Pick<Part, 'read' | 'check'> {
  const { coerce, check } = compileText(request)
  const read = ({ params, query, body }: RawInput): Gathered => {
    const rest = inQuery ? query : (body ?? {})
    if (typeof rest !== 'object' || rest === null || Array.isArray(rest)) return refuse('', 'must be object')
    const twice = pathParams.find(name => Object.hasOwn(rest, name))
    if (twice !== undefined) return refuse(twice, 'belongs in the path alone')
    const text = { ...(params as object), ...(inQuery ? rest : {}) }
    if (!isCleanText(text)) return refuse('', 'contains characters that are not text')
    return { data: { ...(inQuery ? {} : rest), ...coerce(text) } }
  }
  return {
    read,
    check: gathered => {
      const outcome = gathered as Gathered
      return 'refused' in outcome ? outcome.refused : check(outcome.data)
    },
  }
}

function refuse(path: string, message: string): Gathered {
  return { refused: { problems: [{ path, message }] } }
}
