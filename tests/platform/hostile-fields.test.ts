import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import type { BoundProcedure } from 'tsmicro/contract'
import { parseRoute, statusesOf } from 'tsmicro/internal'
import { proceduresIn } from '../support/contracts.ts'
import { difference, dump, UNCHANGED } from '../support/databases.ts'
import { DOORS, type Door, type Shot } from '../support/hostile/attack.ts'
import { hostileBodies } from '../support/hostile/bodies.ts'
import { type Place, placesOf } from '../support/hostile/places.ts'
import { laySiege, type Siege } from '../support/hostile/siege.ts'
import { NO_NUMBERS, NO_TEXTS, TRICKY_TEXTS, UNCLEAN_TEXTS } from '../support/hostile/texts.ts'
import { inputOf } from '../support/inputs.ts'
import { assertNoSecretsLogged } from '../support/leaks.ts'
import { send } from '../support/send.ts'
import { share } from '../support/size.ts'

const procedures = proceduresIn(authContracts, blogContracts).filter(({ http }) => http !== undefined)
const isRead = ({ http }: BoundProcedure) => parseRoute(http ?? '').method === 'GET'
const isHidden = ({ access }: BoundProcedure, door: Door) => access === 'internal' && door === 'gateway'

let siege: Siege
let platform: Siege['platform']
let tap: Siege['tap']
let scene: Siege['scene']
let attack: Siege['attack']
before(async () => {
  siege = await laySiege()
  ;({ platform, tap, scene, attack } = siege)
})
after(() => siege?.[Symbol.asyncDispose]())

/** Attacks, and asserts that nothing in any database has changed. */
async function assertHarmless(shots: readonly Shot[]): Promise<void> {
  assert.ok(shots.length > 0)
  const before = await dump(platform)
  assert.deepEqual(await attack.fire(shots), [])
  assert.deepEqual(difference(before, await dump(platform)), UNCHANGED)
}

const everywhere = () => procedures.flatMap(procedure => DOORS.map(door => ({ procedure, door })))

/** The gateway forwards bodies unchanged, so each door gets half of the inputs in bodies. */
const half = (index: number): readonly Door[] => (index % 2 === 0 ? ['gateway'] : ['service'])

/** Refused because of its form; a path may also match nothing. */
const refused = (procedure: BoundProcedure, door: Door, part: Place['part'] = 'body') =>
  part === 'params' || isHidden(procedure, door) ? [400, 404] : [400]

test('no field accepts what its contract does not allow', async () => {
  const shots = procedures.flatMap(procedure =>
    placesOf(procedure, inputOf(procedure, scene)).flatMap(place => {
      const texts =
        place.part === 'body' ? [...TRICKY_TEXTS, ...UNCLEAN_TEXTS, ...NO_TEXTS] : [...TRICKY_TEXTS, ...UNCLEAN_TEXTS]
      const values = place.kind === 'number' ? [...NO_NUMBERS, ...texts] : [...texts, '', 'x'.repeat(60_000)]
      return values
        .filter(value => !place.takes(value))
        .flatMap((value, index) => (place.part === 'body' ? half(index) : DOORS).map(door => ({ value, door })))
        .map(({ value, door }): Shot => {
          const what = `${place.part}/${place.name} = ${String(JSON.stringify(value)).slice(0, 60)}`
          const wire = attack.wire(procedure, door, place.put(value))
          const tooLong = wire.route.length > 8000 ? [414, 431, 400] : refused(procedure, door, place.part)
          return {
            procedure,
            door,
            what,
            wire,
            allowed: tooLong,
            ...(typeof value === 'string' ? { text: value } : {}),
          }
        })
    }),
  )
  await assertHarmless(share(shots))
})

test('reads accept any text that their contract allows, and find nothing that does not exist', async () => {
  const reads = everywhere().filter(
    ({ procedure }) => isRead(procedure) || /signIn|refresh|verify/.test(procedure.name),
  )
  const shots = reads.flatMap(({ procedure, door }) =>
    placesOf(procedure, inputOf(procedure, scene))
      .filter(({ kind }) => kind === 'text')
      .flatMap(place =>
        TRICKY_TEXTS.filter(text => place.takes(text)).map((text): Shot => {
          const declared = Object.values(procedure.errors ?? {}).map(({ status }) => status)
          const allowed = isHidden(procedure, door) ? [404] : [...statusesOf(procedure), ...declared]
          return {
            procedure,
            door,
            what: `${place.name} = ${text}`,
            wire: attack.wire(procedure, door, place.put(text)),
            allowed,
            text,
          }
        }),
      ),
  )
  await assertHarmless(share(shots))
})

test('no procedure accepts a body of another shape', async () => {
  const shots = procedures
    .filter(procedure => !isRead(procedure))
    .flatMap((procedure, number) => {
      const { body, file: _, ...rest } = inputOf(procedure, scene)
      return Object.entries(hostileBodies(body ?? {})).flatMap(([what, sent], index) =>
        half(number + index).map((door): Shot => {
          const wire = attack.wire(procedure, door, rest, sent)
          return { procedure, door, what, wire, allowed: isHidden(procedure, door) ? [404] : [400, 413, 415] }
        }),
      )
    })
  await assertHarmless(share(shots))
})

test('no procedure accepts a query of another shape', async () => {
  const queries = [
    'surplus=1',
    '__proto__=1',
    '__proto__[a]=1',
    'constructor.prototype.a=1',
    '$where=1',
    'page[$gt]=1',
    'page=1&page=2',
    'limit=10&limit[]=20',
    'a%00b=1',
    'page=%00',
    'page=%FF',
    'page=%C0%AE',
    'page=%',
    '%ED%A0%80=1',
    Array.from({ length: 1000 }, (_, number) => `n${number}=`).join('&'),
  ]
  const shots = everywhere().flatMap(({ procedure, door }) =>
    queries.map((query): Shot => {
      const good = attack.wire(procedure, door, { ...inputOf(procedure, scene), query: {} })
      const wire = { ...good, route: `${good.route}?${query}` }
      return { procedure, door, what: query.slice(0, 40), wire, allowed: refused(procedure, door) }
    }),
  )
  await assertHarmless(share(shots))
})

test('other users’ data is neither shown nor changed', async () => {
  const { blogs } = scene
  const shots = everywhere().flatMap(({ procedure, door }): Shot[] => {
    const input = inputOf(procedure, scene)
    const foreign = { params: { id: blogs.foreign }, ...(input.file ? { file: input.file } : {}) }
    if (procedure.service !== 'blog' || !('id' in (input.params ?? {}))) {
      if (procedure.name !== 'change') return []
      const wire = attack.wire(procedure, door, { body: { ...input.body, _id: blogs.foreign, slug: 'mine-now' } })
      return [{ procedure, door, what: 'a foreign blog', wire, allowed: [403] }]
    }
    const byAuthor = procedure.http?.includes('/author/') ?? false
    const allowed = byAuthor ? [403] : isRead(procedure) ? [404] : [400]
    return [{ procedure, door, what: 'a foreign draft', wire: attack.wire(procedure, door, foreign), allowed }]
  })
  assert.ok(shots.length > 15)
  await assertHarmless(shots)
})

test('all programs keep running, and reveal no secrets', async t => {
  for (const url of [platform.authUrl, platform.blogUrl]) {
    assert.equal((await send(url, 'GET /health/ready')).status, 200)
  }
  assert.equal((await send(platform.url, 'GET /blog/health')).status, 200)
  const people = [scene.learner, scene.author, scene.other, scene.editor, scene.admin]
  const tokens = people.flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken])
  assertNoSecretsLogged(platform, [...tokens, platform.apiKey, scene.spareKey.key, 'correct horse', 'changeit'])
  assert.deepEqual(tap.matching(/\$argon2|"password/i), [])
  for (const { output } of [platform.auth, platform.blog, platform.gateway]) {
    assert.deepEqual(
      output.split('\n').filter(line => /"level":(50|60)|^\s+at /.test(line)),
      [],
    )
  }
  t.diagnostic(`${attack.sent} hostile requests`)
})
