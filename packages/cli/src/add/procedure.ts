import type { Node } from 'oxc-parser'
import { contractFor, findContract, findHandlers, findTesting, kebab, readTarget } from './find-service.ts'
import type { Project } from './project.ts'
import { type Insertion, importAdded, memberAdded, memberOf, sourceOf } from './source.ts'
import { change, regenerate, writeAll } from './written.ts'

/**
 * `tsmicro add procedure orders/place`: contract, handler, test, and what follows from them.
 * @throws CliError if the service's contract or handlers are not written out: then nothing is written
 */
export async function addProcedure(
  project: Project,
  target: string,
  wanted: string | undefined,
  write: (text: string) => void,
): Promise<void> {
  const { service, name } = readTarget(target)
  const declared = findContract(project, service, wanted)
  const { contract } = declared
  if (memberOf(declared.object, name)) {
    write(`${contract} has ${name} already: nothing was changed\n`)
    return
  }
  const handlers = findHandlers(project, service, contract)
  const prefix = project.config.gateway === undefined ? `/${service}` : ''
  const member = [
    `${name}: procedure({`,
    `  http: 'POST ${prefix}/${kebab(name)}',`,
    `  nats: '${kebab(name)}',`,
    `  access: '${project.config.gateway === undefined ? 'open' : 'key'}',`,
    `  summary: '${sentence(name)}',`,
    '  input: Type.Object({ text: Type.String({ minLength: 1, maxLength: 200 }) }),',
    '  output: Type.Object({ text: Type.String() }),',
    '}),',
  ]
  const inContract = [
    ...memberAdded(declared.text, declared.object, member),
    ...importAdded(declared.text, declared.program, 'tsmicro/contract', 'procedure'),
    ...typeboxAdded(declared.program),
  ]
  const inHandlers = memberAdded(handlers.text, handlers.object, [`${name}: ({ input }) => ({ text: input.text }),`])
  const edited =
    declared.file === handlers.file
      ? [change(declared, [...inContract, ...inHandlers])]
      : [change(declared, inContract), change(handlers, inHandlers)]
  const { tests, helper } = findTesting(project, service)
  const path = `${tests}/${kebab(name)}.test.ts`
  const files = helper === undefined ? {} : { [path]: testFile(name, contract, contractFor(path, handlers), helper) }
  await writeAll(project, { files, edited }, write)
  if (helper === undefined)
    write(`${service} has no ${tests} made by tsmicro add service: write the test of ${name} there\n`)
  await regenerate(project, write)
}

/** `placeAgain` → `Place again` */
function sentence(name: string): string {
  const words = kebab(name).replaceAll('-', ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}

/** Schemas are written with it. */
export function typeboxAdded(program: Node): readonly Insertion[] {
  return sourceOf(program, 'Type') === undefined ? [{ at: 0, insert: "import Type from 'typebox'\n" }] : []
}

function testFile(name: string, contract: string, from: string, helper: string): string {
  return `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VALIDATION_FAILED } from 'tsmicro'
import { ${contract} } from '${from}'
import { startService } from '${helper}'

test('${name} answers at both doors, and refuses what does not match its schema', async t => {
  const app = await startService(t)
  for (const door of [app.http(${contract}), app.nats(${contract})]) {
    assert.deepEqual(await door.${name}({ text: 'something' }), { text: 'something' })
    await assert.rejects(door.${name}({ text: '' }), VALIDATION_FAILED)
  }
})
`
}
