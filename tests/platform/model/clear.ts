import type { Reply } from './door.ts'
import type { Stage } from './stage.ts'
import type { World } from './world.ts'

/** Ends a run: its blogs are deleted by their authors, its people are administrators no longer. */
export async function clear(stage: Stage, { users, blogs }: World): Promise<void> {
  const { auth, blog, admin } = stage
  const setRoles = (id: string, token: string, role: string): Promise<Reply> =>
    auth.send({ route: `PUT /admin/users/${id}/roles`, token, json: { roles: [role] } })
  // Somebody always is administrator; which of them the model may have got wrong.
  for (const { token } of users.all) await setRoles(admin.id, token, 'ADMIN')
  for (const { id } of users.all) if (id !== admin.id) await setRoles(id, admin.token, 'AUTHOR')
  for (const { _id, author } of blogs.all) {
    const { status } = (await blog[0]?.send({ route: `DELETE /author/id/${_id}`, token: author.token })) ?? {}
    if (status !== 200 && status !== 404) throw new Error(`blog ${_id} cannot be deleted: ${status}`)
  }
}
