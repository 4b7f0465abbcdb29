import fc from 'fast-check'
import { ROLES } from '../state.ts'
import { privateProfile, publicProfile } from '../views.ts'
import type { Action } from '../world.ts'
import { who } from './pick.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

/** Mostly roles that leave some authors and editors. */
const roles = fc.noBias(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(['AUTHOR'] as const, ['EDITOR'] as const, ['LEARNER', 'AUTHOR'] as const) },
    { weight: 2, arbitrary: fc.uniqueArray(fc.constantFrom(...ROLES), { minLength: 1, maxLength: 4 }) },
  ),
)

const somebody = fc.noBias(fc.nat({ max: 999 }))

const setRoles: fc.Arbitrary<Action> = fc.tuple(who, somebody, roles).map(([who, index, roles]) => world => {
  const { users } = world
  const caller = who(world, 'ADMIN')
  const id = users.all[index % (users.all.length + 1)]?.id ?? NOBODY
  return {
    service: 'auth',
    caller,
    route: `PUT /admin/users/${id}/roles`,
    json: { roles },
    expected: () => privateProfile(users.setRoles(caller, id, roles)),
  }
})

const change = fc
  .record(
    {
      name: fc
        .constantFrom('Ada', 'Grace Hopper', 'Óscar 😀', '李', '<b>Bo</b>', 'x'.repeat(199))
        .map(name => `${name}.`),
      profilePicUrl: fc.constantFrom('https://example.com/me.png', 'https://example.com/other.png'),
    },
    { requiredKeys: [] },
  )
  .map(each => (Object.keys(each).length > 0 ? each : { name: 'Nobody in particular' }))

const rename: fc.Arbitrary<Action> = fc.tuple(who, change).map(([who, change]) => world => {
  const caller = who(world)
  return {
    service: 'auth',
    caller,
    route: 'PUT /profile/mine',
    json: change,
    expected: () => privateProfile(world.users.change(caller, change)),
    renames: true,
  }
})

const mine: fc.Arbitrary<Action> = who.map(who => world => {
  const caller = who(world)
  return {
    service: 'auth',
    caller,
    route: 'GET /profile/mine',
    expected: () => privateProfile(world.users.signedIn(caller.user)),
  }
})

const profile: fc.Arbitrary<Action> = fc.tuple(who, somebody).map(([who, index]) => world => {
  const id = world.users.all[index % (world.users.all.length + 1)]?.id ?? NOBODY
  return {
    service: 'auth',
    caller: who(world),
    route: `GET /profile/id/${id}`,
    expected: () => publicProfile(world.users.find(id)),
  }
})

export const accounts: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: setRoles },
  { weight: 2, arbitrary: rename },
  { weight: 1, arbitrary: mine },
  { weight: 1, arbitrary: profile },
)
