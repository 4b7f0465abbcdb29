/** The client of a contract's HTTP door, and what clients of both doors have in common. Needs nothing of Node: browsers may have it. */

export type { Client } from '../contract/index.ts'
export { createHttpClient, type HttpClient } from './client.ts'
