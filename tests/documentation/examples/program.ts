import type { Example } from './docstrings.ts'
import type { Exported } from './exports.ts'

/** The result of an expression according to its comment: `roles.satisfies(…) // true`. */
const TOLD = /^([^/\n]+?) \/\/ (true|false|\d+|'[^'\n]*'|\{ [^…\n]* \})$/gm

/**
 * A module that imports the names of the example and runs it as its `default`; an example that declares something for a whole module is
 * placed at its top. The result of an expression is compared with its comment.
 */
export function programOf({ code }: Example, known: ReadonlyMap<string, Exported>): string {
  const told = code.replaceAll(TOLD, (_, expression, value) => `equal((${expression}), ${value})`)
  const whole = /^(export|declare) /m.test(code)
  const own = new Set(
    whole ? [...code.matchAll(/(?:const|function|class|interface|type) (\w+)/g)].map(each => each[1]) : [],
  )
  const names = new Set(withoutTexts(told).match(/(?<![.\w#])[A-Za-z]\w*/g))
  const imports = [...names].flatMap(name => {
    const found = known.get(name)
    return found && !own.has(name) ? [`import { ${found.isType ? 'type ' : ''}${name} } from '${found.from}'`] : []
  })
  const body = whole ? `${told}\nexport default async () => {}` : `export default async () => {\n${told}\n}`
  return `import { deepEqual as equal } from 'node:assert/strict'\n${imports.join('\n')}\nvoid equal\n${body}\n`
}

/** Removes comments and strings, so that their words do not count as names. Keeps the contents of `\${}`. */
export function withoutTexts(code: string): string {
  return code.replaceAll(/\/\/.*$|'[^']*'/gm, ' ')
}
