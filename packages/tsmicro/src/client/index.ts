/** The client of a contract's HTTP door, and what clients of both doors have in common. Uses nothing from Node, so it runs in browsers. */

export type { Client } from '../contract/index.ts'
export { createHttpClient, type HttpClient } from './client.ts'
