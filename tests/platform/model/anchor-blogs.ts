import type { ModelRunner } from './model-runner.ts'
import type { RoleName, UserState } from './state.ts'
import { privateBlog, privateProfile } from './views.ts'
import type { Step } from './world.ts'

/** Publishes a blog by every user, in which changes to their names are looked for. */
export async function publishAnchorBlogs(runner: ModelRunner): Promise<void> {
  const { world } = runner
  const [admin] = world.users.all
  for (const user of world.users.all) {
    if (user !== admin) await runner.execute(roleGrant(runner, user, ['AUTHOR']), 0)
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
    for (const step of steps) await runner.execute(step(world.blogs.all.at(-1)?._id ?? ''), 0)
    world.anchors.add(world.blogs.all.at(-1)?._id ?? '')
  }
}

/** The administrator sets somebody's roles. */
export function roleGrant({ world: { users } }: ModelRunner, { id }: UserState, roles: readonly RoleName[]): Step {
  const user = users.all.find(user => users.has(user, 'ADMIN'))
  const caller = user ? { user, token: user.token } : {}
  const expected = () => privateProfile(users.setRoles(caller, id, roles))
  return { service: 'auth', caller, route: `PUT /admin/users/${id}/roles`, json: { roles }, expected }
}
