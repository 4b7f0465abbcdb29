import { Compile } from 'typebox/compile'
import { parse } from 'yaml'
import { ComposeFile } from './schema.ts'

const compiled = Compile(ComposeFile)

/** Reads a compose file. @throws {Error} with every place that does not fit the specification, one to a line */
export function readCompose(text: string): ComposeFile {
  const whole = parse(text, { merge: true }) as Record<string, unknown>
  const file: unknown = Object.fromEntries(Object.entries(whole).filter(([name]) => !name.startsWith('x-')))
  if (compiled.Check(file)) return file
  const faults = compiled.Errors(file).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
  throw new Error([...new Set(faults)].join('\n'))
}
