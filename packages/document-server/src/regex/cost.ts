/** The number of ways in which a part of an expression can match a text of n characters: at most `2^factor × (n+1)^degree`. */
interface Ways {
  readonly factor: number
  readonly degree: number
}

const one: Ways = { factor: 0, degree: 0 }
const endless: Ways = { factor: Number.POSITIVE_INFINITY, degree: 0 }

const isOne = ({ factor, degree }: Ways): boolean => factor === 0 && degree === 0
const both = (a: Ways, b: Ways): Ways => ({ factor: a.factor + b.factor, degree: a.degree + b.degree })
const power = (ways: Ways, times: number): Ways =>
  isOne(ways) || times === 0 ? one : { factor: ways.factor * times, degree: ways.degree * times }
const either = (a: Ways, b: Ways): Ways => ({
  factor: Math.max(a.factor, b.factor) + 1,
  degree: Math.max(a.degree, b.degree),
})

/**
 * The most steps that a backtracking engine can need for a text of a given length, as a power of two. It is never too low. It is too
 * high for expressions whose alternatives exclude each other, which only a full analysis could detect.
 */
export function costOf(source: string): (textLength: number) => number {
  let ways: Ways
  try {
    ways = new Parser(source).all()
  } catch {
    ways = endless // nested too deeply to be analysed
  }
  const perStart = ways.factor + Math.log2(source.length + 1)
  return length => perStart + (ways.degree + 1) * Math.log2(length + 1)
}

/** Analyses an expression that JavaScript has already accepted. */
class Parser {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  all(): Ways {
    let ways = this.#sequence()
    while (this.#at < this.#source.length) {
      this.#at++ // an unmatched closing parenthesis
      ways = both(ways, this.#sequence())
    }
    return ways
  }

  /** Alternatives, up to a closing parenthesis. */
  #sequence(): Ways {
    let total: Ways | undefined
    let ways = one
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#source[this.#at] === '|') {
        this.#at++
        total = total ? either(total, ways) : ways
        ways = one
      } else ways = both(ways, this.#quantified(this.#atom()))
    }
    return total ? either(total, ways) : ways
  }

  #atom(): Ways {
    const char = this.#source[this.#at++]
    if (char === '\\') return this.#escape()
    if (char === '[') this.#skipClass()
    if (char !== '(') return one
    this.#skip(/\?(?:[:=!]|<[=!]|<[^>]*>|[ims-]*:)/y)
    const ways = this.#sequence()
    this.#at++
    return ways
  }

  /** A back reference compares every character of the group it refers to. */
  #escape(): Ways {
    if (this.#skip(/[1-9]\d*|k<[^>]*>/y)) return { factor: 0, degree: 1 }
    this.#at++
    return one
  }

  #skipClass(): void {
    for (; this.#at < this.#source.length && this.#source[this.#at] !== ']'; this.#at++)
      if (this.#source[this.#at] === '\\') this.#at++
    this.#at++
  }

  #quantified(ways: Ways): Ways {
    const [, sign, least, comma, most] = this.#skip(/([*+?])\??|\{(\d+)(,?)(\d*)\}\??/y) ?? []
    if (sign === undefined && least === undefined) return ways
    if (sign === '?') return either(ways, one)
    const low = Number(least ?? 0)
    const high = sign !== undefined || (comma && !most) ? Number.POSITIVE_INFINITY : Number(comma ? most : least)
    if (high === Number.POSITIVE_INFINITY) return isOne(ways) ? { factor: 0, degree: 1 } : endless
    const times = power(ways, high)
    return { factor: times.factor + Math.log2(Math.max(1, high - low + 1)), degree: times.degree }
  }

  #skip(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#source) ?? undefined
    if (match) this.#at += match[0].length
    return match
  }
}
