/** Kong compiles a regular expression twice: with PCRE2 when it reads the config, and with Rust's regex for its router. In bytes. */
interface Size {
  readonly pcre: number
  readonly rust: number
}

const LONGEST_PCRE = 65_535
const LONGEST_RUST = 10 * 1024 * 1024
const LARGEST_COUNT = 65_535
const DEEPEST = 250

/** One element of an expression: an escape, a class, the start of a group, its end, a repetition or a character. */
const ELEMENT =
  /\\(?:[pP]\{[^}]*\}|.)|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:P?<\w+>|[a-z-]*:))?|\)|\{(\d+)(,?)(\d*)\}|[\s\S]/gu

/** Returns why a regular expression is beyond a limit of Kong; undefined if it is not. Sizes are estimates, on the safe side. */
export function beyondLimits(source: string): string | undefined {
  const open: Size[] = []
  let whole: Size = { pcre: 0, rust: 0 }
  let last: (Size & { readonly group: boolean }) | undefined
  const take = (size: Size, group = false) => {
    whole = plus(whole, size)
    last = { ...size, group }
  }
  for (const [text, least, comma, most] of source.matchAll(ELEMENT)) {
    if (least !== undefined) {
      const [from, to] = [Number(least), most ? Number(most) : Number(least)]
      if (from > LARGEST_COUNT || to > LARGEST_COUNT) return `Kong repeats at most ${LARGEST_COUNT} times`
      if (last !== undefined) whole = plus(whole, repeated(last, from, to))
      last = undefined
      if (comma === ',' && !most) whole = plus(whole, { pcre: 1, rust: 0 })
    } else if (text.startsWith('(')) {
      open.push(whole)
      if (open.length > DEEPEST) return `Kong nests at most ${DEEPEST} groups`
      whole = { pcre: text.endsWith(':') ? 6 : 8, rust: 64 }
      last = undefined
    } else if (text === ')') {
      const inner = whole
      whole = open.pop() ?? { pcre: 0, rust: 0 }
      take(inner, true)
    } else if (/^[*+?^$|]$/.test(text)) {
      whole = plus(whole, { pcre: 3, rust: 64 })
      last = undefined
    } else {
      take(sizeOf(text))
    }
    if (whole.pcre > LONGEST_PCRE || whole.rust > LONGEST_RUST) return 'it is too large for Kong'
  }
  return undefined
}

function plus(a: Size, b: Size): Size {
  return { pcre: a.pcre + b.pcre, rust: a.rust + b.rust }
}

/** What a repetition adds to one copy. PCRE2 copies groups, and Rust copies everything. */
function repeated({ pcre, rust, group }: Size & { readonly group: boolean }, from: number, to: number): Size {
  const copies = Math.max(from, to, 1) - 1
  return { pcre: group ? copies * pcre + 7 * Math.max(0, to - from) : 8, rust: copies * rust }
}

/** Rust's classes are Unicode's: sets of sequences of bytes. */
function sizeOf(element: string): Size {
  if (/^\\[wWpP]/.test(element)) return { pcre: 3, rust: 20_000 }
  if (/^\\[dDsS]/.test(element)) return { pcre: 1, rust: 3000 }
  if (element === '.') return { pcre: 1, rust: 400 }
  if (!element.startsWith('[')) return { pcre: 2 * element.length, rust: 32 * element.length }
  const escapes = (element.match(/\\[wWpPdDsS]/g) ?? []).map(sizeOf)
  return escapes.reduce(plus, { pcre: element.length <= 4 ? 2 : 33, rust: element.startsWith('[^') ? 400 : 48 })
}
