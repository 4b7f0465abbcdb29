import type { Dependency } from 'tsmicro'

export interface FakeDependency extends Dependency {
  /** How often `connect` is refused before it works. */
  refusals: number
  state: 'up' | 'down' | 'hanging' | 'throwing'
}

/** A dependency whose state a test sets, and which records calls. */
export function dependency(name: string, calls: string[], refusals = 0): FakeDependency {
  return {
    name,
    refusals,
    state: 'up',
    async connect() {
      calls.push(`connect ${name}`)
      if (this.state === 'hanging') await new Promise(() => {})
      if (this.refusals-- > 0) throw new Error('refused', { cause: new Error('port 1 is closed') })
    },
    check() {
      if (this.state === 'throwing') throw new Error('at once')
      if (this.state === 'hanging') return new Promise(() => {})
      return this.state === 'up' ? Promise.resolve() : Promise.reject(new Error('down'))
    },
    async close() {
      calls.push(`close ${name}`)
    },
  }
}
