export type { Schema } from '../schema/index.ts'
export { type Access, isRole, nameOfAccess, needsUser, roleBesideOwner } from './access.ts'
export {
  BODY,
  type FileBody,
  fieldsOfInput,
  file,
  fileOfOutput,
  followOf,
  isStream,
  jsonOfOutput,
  kindOfBody,
  mostFileBytes,
  type ReceivedFile,
  type StreamBody,
  senderOf,
  stream,
  type UploadBody,
  upload,
  uploadOfInput,
} from './body.ts'
export { CHECKS } from './checks.ts'
export type { Caller, Client } from './client.ts'
export { comeBack } from './come-back.ts'
export {
  type BoundProcedure,
  type Contract,
  contract,
  contractsIn,
  entriesOf,
  eventsOf,
  proceduresOf,
} from './contract.ts'
export { defineErrors } from './errors.ts'
export { type EventDefinition, event } from './event.ts'
export {
  deadStream,
  deadSubject,
  durableOf,
  eventStream,
  eventsDoor,
  outboxSubject,
  typeOfEvent,
} from './event-subjects.ts'
export type { FileAnswer } from './file-answer.ts'
export { hasNoBody, type ParsedRoute, parseRoute, partsOfRoute } from './http-route.ts'
export type {
  AnswerOf,
  DeepReadonly,
  ErrorsOf,
  EventDataOf,
  EventInputOf,
  InputOf,
  RequestOf,
  ResponseOf,
  StatusOf,
} from './infer.ts'
export {
  eventTypesOf,
  type NatsAccess,
  type NatsPermissions,
  natsAuthorization,
  natsExplorerOf,
  natsListenerOf,
  natsObserverOf,
  natsOperatorOf,
  natsPermissionsOf,
  natsStreamsOf,
  streamPermissions,
} from './permissions.ts'
export { type Procedure, procedure } from './procedure.ts'
export { declaresReplies, hasBody, statusesOf } from './replies.ts'
export { defineRoles, type Role, type Roles } from './roles.ts'
export { acceptsType, essenceOf, type FileRule, limitsOf } from './sent-files.ts'
export type { EventSpec, ProcedureSpec } from './spec.ts'
export {
  batchSubject,
  cacheSubjectOf,
  cancelSubject,
  checkTarget,
  inboxPrefixOf,
  MOST_BATCHED_CALLS,
  pullSubject,
} from './subject.ts'
