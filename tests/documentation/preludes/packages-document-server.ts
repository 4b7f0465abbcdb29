import { startDocumentServer as start } from '@tsmicro/document-server'
import { MongoClient as Client } from 'mongodb'

/** @public */
export const startDocumentServer = start
/** @public */
export const MongoClient = Client
