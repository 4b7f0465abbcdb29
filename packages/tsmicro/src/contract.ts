/** For contracts, and what both sides of a call share. Needs nothing of Node: browsers may have it. */
export type {
  Access,
  AnswerOf,
  BoundProcedure,
  Contract,
  ErrorsOf,
  EventDataOf,
  EventDefinition,
  EventInputOf,
  HttpMethod,
  InputOf,
  NatsAccess,
  NatsPermissions,
  Procedure,
  RequestOf,
  ResponseOf,
  Role,
  Roles,
} from './contract/index.ts'
export {
  contract,
  defineErrors,
  defineRoles,
  event,
  natsAuthorization,
  natsListenerOf,
  natsPermissionsOf,
  procedure,
} from './contract/index.ts'
export { ApiError, frameworkErrors } from './errors/index.ts'
export type { Infer, InferInput, JsonSchema, Schema } from './schema/index.ts'
