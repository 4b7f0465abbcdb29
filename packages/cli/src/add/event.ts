import { posix } from 'node:path'
import { UsageError } from '../errors.ts'
import { contractFor, findContract, findHandlers, findTesting, kebab, readTarget } from './find-service.ts'
import { typeboxAdded } from './procedure.ts'
import type { Project } from './project.ts'
import { importAdded, memberAdded, memberOf } from './source.ts'
import { change, regenerate, writeAll } from './written.ts'

export interface NewEvent {
  /** `orders/placed` */
  readonly target: string
  readonly contract: string | undefined
  /** Default: the service, and what happened: `orders.placed`. */
  readonly subject: string | undefined
}

/**
 * `tsmicro add event orders/placed`: its declaration, what announces it, and a test that others get it.
 * @throws CliError if the service's contract or handlers are not written out: then nothing is written
 */
export async function addEvent(project: Project, wanted: NewEvent, write: (text: string) => void): Promise<void> {
  const { service, name } = readTarget(wanted.target)
  const subject = wanted.subject ?? `${service}.${kebab(name).replaceAll('-', '.')}`
  if (!/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/.test(subject))
    throw new UsageError(`--subject ${subject}: it is a thing and what happened to it, such as order.placed`)
  const declared = findContract(project, service, wanted.contract)
  const { contract } = declared
  if (memberOf(declared.object, name)) {
    write(`${contract} has ${name} already: nothing was changed\n`)
    return
  }
  const handlers = findHandlers(project, service, contract)
  const member = [
    `${name}: event({`,
    `  subject: '${subject}',`,
    "  aggregate: 'id',",
    '  data: Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) }),',
    '}),',
  ]
  const edited = [
    change(declared, [
      ...memberAdded(declared.text, declared.object, member),
      ...importAdded(declared.text, declared.program, 'tsmicro/contract', 'event'),
      ...typeboxAdded(declared.program),
    ]),
  ]
  const announcer = posix.join(posix.dirname(handlers.file), `announce-${kebab(name)}.ts`)
  const path = `${findTesting(project, service).tests}/${kebab(name)}.test.ts`
  const parts = { service, name, contract, subject }
  const files = {
    [announcer]: announcerFile({ ...parts, from: contractFor(announcer, handlers) }),
    [path]: testFile({ ...parts, from: contractFor(path, handlers) }, specifier(path, announcer)),
  }
  await writeAll(project, { files, edited }, write)
  await regenerate(project, write)
}

interface Parts {
  readonly service: string
  readonly name: string
  readonly contract: string
  readonly subject: string
  /** Where the contract is imported from. */
  readonly from: string
}

const announceOf = (name: string) => `announce${name.charAt(0).toUpperCase()}${name.slice(1)}`

function announcerFile({ service, name, contract, from }: Parts): string {
  return `import type { Publisher } from 'tsmicro'
import { ${contract} } from '${from}'

/**
 * Announces what has happened, once it is stored; \`events\` is createPublisher(nats, '${service}'). An event that must not be lost when the process dies in between belongs into an outbox,
 * which stores it with the change: see createOutbox.
 */
export function ${announceOf(name)}(events: Publisher, id: string): Promise<unknown> {
  return events.publish(${contract}.${name}, { id })
}
`
}

function testFile({ service, name, contract, subject, from }: Parts, announcer: string): string {
  return `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPublisher } from 'tsmicro'
import { testService } from 'tsmicro/testing'
import { ${contract} } from '${from}'
import { ${announceOf(name)} } from '${announcer}'

test('others get ${subject}', async t => {
  const announced = Promise.withResolvers<() => Promise<unknown>>()
  const app = await testService(
    ({ nats }) => {
      announced.resolve(() => ${announceOf(name)}(createPublisher(nats, '${service}'), 'one'))
      return { nats, publishes: [{ ${name}: ${contract}.${name} }] }
    },
    { name: '${service}' },
  )
  t.after(() => app.close())
  const announce = await announced.promise
  await announce()
  const { data } = await app.nextEvent(${contract}.${name})
  assert.deepEqual(data, { id: 'one' })
})
`
}

function specifier(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to)
  return path.startsWith('.') ? path : `./${path}`
}
