const LIMIT = 200_000

/** Keeps the last {@link LIMIT} bytes of a stream: enough to explain a failure, bounded when a test writes for ever. */
export class Tail {
  #chunks: Buffer[] = []
  #bytes = 0
  #dropped = false

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) > LIMIT) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0
      this.#dropped = true
    }
  }

  text(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8').trimEnd()
    return this.#dropped ? `(earlier output left out)\n${text}` : text
  }
}
