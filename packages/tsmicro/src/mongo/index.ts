export { CursorError } from './cursor-error.ts'
export { isDuplicateKey } from './errors.ts'
export { literal } from './guard.ts'
export type { IndexDefinition } from './index-definition.ts'
export { IndexError } from './index-error.ts'
export type { EnsuredIndexes } from './indexes.ts'
export {
  createMongoMembership,
  type MembershipGeneration,
  type MembershipState,
  type MongoMembership,
} from './membership.ts'
export { createMongo, type Mongo, type MongoOptions } from './mongo.ts'
export { type Page, QueryBuilder, type QueryBuilderOptions, type Slice, type Updated } from './query-builder.ts'
export type { Field, FindOptions, Identified, New, Order, ReadOptions, Selected, SelectOptions } from './types.ts'
