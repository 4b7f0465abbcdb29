export { type DocumentServer, type DocumentServerOptions, startDocumentServer } from './server.ts'
export type { Durability } from './storage/database.ts'
