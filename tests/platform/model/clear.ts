import type { Reply } from './door.ts'
import type { Target } from './target.ts'
import type { World } from './world.ts'

/** Cleans up after a run: its blogs are deleted by their authors, and its users are no longer administrators. */
export async function clear(target: Target, { users, blogs }: World): Promise<void> {
  const { auth, blog, admin } = target
  const setRoles = (id: string, token: string, role: string): Promise<Reply> =>
    auth.send({ route: `PUT /admin/users/${id}/roles`, token, json: { roles: [role] } })
  // Somebody is always an administrator, but the model may be wrong about who.
  for (const { token } of users.all) await setRoles(admin.id, token, 'ADMIN')
  for (const { id } of users.all) if (id !== admin.id) await setRoles(id, admin.token, 'AUTHOR')
  for (const { _id, author } of blogs.all) {
    const { status } = (await blog[0]?.send({ route: `DELETE /author/id/${_id}`, token: author.token })) ?? {}
    if (status !== 200 && status !== 404) throw new Error(`blog ${_id} cannot be deleted: ${status}`)
  }
}
