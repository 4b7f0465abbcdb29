/** Header: kept across every hop. */
export const REQUEST_ID = 'x-request-id'
/** Header: W3C Trace Context. */
export const TRACEPARENT = 'traceparent'

/** Header fields of a message, written once in each form in which messages carry them. */
export class HeaderFields {
  readonly #fields: Readonly<Record<string, string>>
  #lines: string | undefined
  #json: string | undefined

  constructor(fields: Readonly<Record<string, string>>) {
    this.#fields = fields
  }

  /** `name: value`, each with a line end. @throws {TypeError} for a value with a line end */
  get lines(): string {
    this.#lines ??= Object.entries(this.#fields).map(lineOf).join('')
    return this.#lines
  }

  /** A JSON object. */
  get json(): string {
    this.#json ??= JSON.stringify(this.#fields)
    return this.#json
  }

  with(others: Readonly<Record<string, string>>): HeaderFields {
    return new HeaderFields({ ...this.#fields, ...others })
  }
}

function lineOf([name, value]: readonly [string, string]): string {
  // It would add a header that nobody has meant.
  if (/[\r\n]/.test(value)) throw new TypeError(`the header ${name} has a line end in its value`)
  return `${name}: ${value.trim()}\r\n`
}

interface Origin {
  readonly requestId: string
  readonly traceparent: string | undefined
  readonly token: string | undefined
}

/** What calls inherit from the call that makes them. */
export class Inherited {
  readonly #origin: Origin
  #plain: HeaderFields | undefined
  #asUser: HeaderFields | undefined

  constructor(origin: Origin) {
    this.#origin = origin
  }

  /** @param asUser whether the procedure asks for a user: a token goes no further than necessary */
  headers(asUser: boolean): HeaderFields {
    const { requestId, traceparent } = this.#origin
    this.#plain ??= new HeaderFields({ [REQUEST_ID]: requestId, ...(traceparent && { [TRACEPARENT]: traceparent }) })
    if (!asUser) return this.#plain
    const { token } = this.#origin
    this.#asUser ??= token ? this.#plain.with({ authorization: `Bearer ${token}` }) : this.#plain
    return this.#asUser
  }
}
