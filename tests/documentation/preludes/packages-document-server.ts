export { startDocumentServer } from '@tsmicro/document-server'
export { MongoClient } from 'mongodb'
