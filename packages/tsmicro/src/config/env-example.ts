import type { TObject } from 'typebox'
import { expected } from './expected.ts'
import { type EnvSchema, type Variable, variables } from './variable.ts'

/**
 * Renders a `.env.example` from the schema: what each variable is for, what it expects, and its default (commented out,
 * as it applies anyway). Secrets are left empty. Deterministic, so that CI can compare the file with its schema.
 *
 * @example
 * const text = envExample(Type.Object({ PORT: Type.Integer({ default: 8001, description: 'HTTP port' }) }))
 */
export function envExample(schema: TObject): string {
  return `${variables(schema as EnvSchema)
    .map(entry)
    .join('\n\n')}\n`
}

function entry(variable: Variable): string {
  const { name, description, required, secret } = variable
  const lines: string[] = []
  if (description !== undefined) lines.push(...description.split('\n').map(line => `# ${line}`))
  lines.push(`# ${required && variable.default === undefined ? 'Required' : 'Optional'}: ${expected(variable.schema)}`)
  if (secret) lines.push(`# Secret; may be given as a file: ${name}_FILE`)
  lines.push(assignment(variable))
  return lines.join('\n')
}

function assignment({ name, required, secret, default: value }: Variable): string {
  if (value !== undefined) return secret ? `# ${name}=` : `# ${name}=${Array.isArray(value) ? value.join(',') : value}`
  return required ? `${name}=` : `# ${name}=`
}
