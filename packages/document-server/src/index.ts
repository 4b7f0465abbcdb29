export { type DocumentServer, startDocumentServer } from './server.ts'
