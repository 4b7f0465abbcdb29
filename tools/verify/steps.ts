/** Counts and prints what was tried. */
export class Steps {
  passed = 0
  failed = 0

  /** Runs one step and prints its outcome. @throws what the step throws: what comes after builds on it */
  async step<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    const began = performance.now()
    const said = (mark: string) => console.log(`${mark} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
    try {
      const value = await work()
      this.passed++
      said('✓')
      return value
    } catch (error) {
      this.failed++
      said('✗')
      const text = error instanceof Error ? error.message : String(error)
      console.log(text.replaceAll(/^/gm, '    '))
      throw error
    }
  }
}
