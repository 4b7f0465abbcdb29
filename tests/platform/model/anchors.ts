import type { Performance } from './performance.ts'
import type { RoleName, UserState } from './state.ts'
import { privateBlog, privateProfile } from './views.ts'
import type { Step } from './world.ts'

/** Has everybody publish a blog: where a change of their name is looked for. */
export async function dropAnchors(performance: Performance): Promise<void> {
  const { world } = performance
  const [admin] = world.users.all
  for (const user of world.users.all) {
    if (user !== admin) await performance.perform(granting(performance, user, ['AUTHOR']), 0)
    const caller = { user, token: user.token }
    const content = { title: 'Anchor otter', description: 'Heron lynx', draftText: user.name, tags: ['X'] }
    const slug = `${world.run}-anchor-${world.anchors.size}`
    const steps: readonly ((_id: string) => Step)[] = [
      () => ({
        service: 'blog',
        caller,
        route: 'POST /author',
        json: { ...content, slug },
        expected: learned => privateBlog(world.blogs.create(user, { ...content, slug }, learned)),
      }),
      _id => ({
        service: 'blog',
        caller,
        route: `PUT /author/submit/id/${_id}`,
        expected: learned => privateBlog(world.blogs.submit(_id, user, learned)),
      }),
      _id => ({
        service: 'blog',
        caller: { token: admin?.token ?? '' },
        route: `PUT /editor/publish/id/${_id}?revision=1`,
        expected: learned => privateBlog(world.blogs.publish(_id, 1, learned), 'public'),
      }),
    ]
    for (const step of steps) await performance.perform(step(world.blogs.all.at(-1)?._id ?? ''), 0)
    world.anchors.add(world.blogs.all.at(-1)?._id ?? '')
  }
}

/** The administrator sets somebody's roles. */
export function granting({ world: { users } }: Performance, { id }: UserState, roles: readonly RoleName[]): Step {
  const user = users.all.find(user => users.has(user, 'ADMIN'))
  const caller = user ? { user, token: user.token } : {}
  const expected = () => privateProfile(users.setRoles(caller, id, roles))
  return { service: 'auth', caller, route: `PUT /admin/users/${id}/roles`, json: { roles }, expected }
}
