/** For contracts, and what both sides of a call share. Needs nothing of Node: browsers may have it. */
export {
  type AnswerOf,
  type BoundProcedure,
  type Contract,
  contract,
  defineErrors,
  defineRoles,
  type EventDataOf,
  type EventDefinition,
  event,
  file,
  type InputOf,
  type NatsPermissions,
  natsAuthorization,
  natsPermissionsOf,
  type Procedure,
  procedure,
  type RequestOf,
  type ResponseOf,
  type Role,
  type Roles,
  stream,
  upload,
} from './contract/index.ts'
export { ApiError, type ErrorClass, frameworkErrors, type ValidationDetail } from './errors/index.ts'
export type { Infer, InferInput } from './schema/index.ts'
