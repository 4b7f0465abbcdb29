import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** Longer lines are cut into pieces of this length: a child that never ends its line must not fill this process's memory. */
const LONGEST = 65_536

/** Calls `onLine` for every line of a stream, without its line break; also for a last one that has none. */
export function readLines(source: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const take = (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
    for (; rest.length > LONGEST; rest = rest.slice(LONGEST)) onLine(rest.slice(0, LONGEST))
  }
  source.on('data', (chunk: Buffer) => take(decoder.write(chunk)))
  source.on('end', () => {
    take(decoder.end())
    if (rest !== '') onLine(rest)
  })
  // A pipe that breaks is the end of it: how the child ended is told otherwise.
  source.on('error', () => {})
}
