import { defineRoles } from 'tsmicro/contract'
import Type, { type Static } from 'typebox'

/** The platform's roles, lowest first. A higher role may do everything that a lower one may. */
export const roles = defineRoles('LEARNER', 'AUTHOR', 'EDITOR', 'ADMIN')

export const RoleName = Type.Union([
  Type.Literal('LEARNER'),
  Type.Literal('AUTHOR'),
  Type.Literal('EDITOR'),
  Type.Literal('ADMIN'),
])
export type RoleName = Static<typeof RoleName>
