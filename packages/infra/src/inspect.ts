import { DOCUMENTS_PROGRAM, locateDocuments } from './documents.ts'
import { MissingServerError } from './errors.ts'
import { type Found, type Locate, type Program, requireProgram } from './locate.ts'
import { locateNats, NATS_PROGRAM } from './nats.ts'
import { locatePostgres, POSTGRES } from './postgres/locate.ts'
import { locateRedis, REDIS_PROGRAM } from './redis.ts'

const SERVERS = {
  nats: [NATS_PROGRAM, locateNats],
  postgres: [POSTGRES, locatePostgres],
  documents: [DOCUMENTS_PROGRAM, locateDocuments],
  redis: [REDIS_PROGRAM, locateRedis],
} as const satisfies Record<string, readonly [Program, Locate]>

/**
 * The program that a server would be started from, or one line that says what is missing and how to get it. Starts nothing but
 * `--version`.
 * @example const nats = await inspectServer('nats')
 */
export async function inspectServer(name: keyof typeof SERVERS): Promise<Found | string> {
  const [program, locate] = SERVERS[name]
  try {
    return await requireProgram(program, locate, undefined)
  } catch (error) {
    if (error instanceof MissingServerError) return error.message
    throw error
  }
}
