/** Header fields as name, value, name, value …, changed in place. Names are compared without regard to case. */
export class HeaderList {
  readonly #fields: string[]

  constructor(fields: string[]) {
    this.#fields = fields
  }

  /** In place of every field of this name. */
  set(name: string, value: string): void {
    this.remove(name)
    this.#fields.push(name, value)
  }

  /** Beside the fields of this name. */
  add(name: string, value: string): void {
    this.#fields.push(name, value)
  }

  remove(name: string): void {
    const lower = name.toLowerCase()
    for (let i = this.#fields.length - 2; i >= 0; i -= 2) {
      const field = this.#fields[i] ?? ''
      if (field.length === lower.length && field.toLowerCase() === lower) this.#fields.splice(i, 2)
    }
  }
}
