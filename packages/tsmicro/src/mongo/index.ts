export { CursorError } from './cursor-error.ts'
export { isDuplicateKey } from './errors.ts'
export { literal } from './guard.ts'
export type { IndexDefinition } from './indexes.ts'
export { IndexError } from './indexes.ts'
export {
  createMongoMembership,
  type MongoMembership,
} from './membership.ts'
export { createMongo, type Mongo } from './mongo.ts'
export { type Page, QueryBuilder, type Slice } from './query-builder.ts'
export type { Field, Selected } from './types.ts'
