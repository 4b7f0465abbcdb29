import { connect, type Socket } from 'node:net'
import type { Sent } from './send.ts'

/** A request that has been sent completely, on a separate connection. */
export interface OpenRequest {
  /** The status of the answer; rejects if the connection ends without one. */
  readonly status: Promise<number>
}

/**
 * Sends requests and resolves once the kernel has accepted every byte. From then on they wait at the server, whether or not its process has
 * read them.
 */
export function openRequests(url: string, route: string, requests: readonly Sent[]): Promise<readonly OpenRequest[]> {
  return Promise.all(requests.map(sent => openRequest(url, route, sent)))
}

async function openRequest(url: string, route: string, { headers = {}, json }: Sent): Promise<OpenRequest> {
  const { host, hostname, port } = new URL(url)
  const body = JSON.stringify(json)
  const fields = { host, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(Number(port), hostname)
  const status = statusFrom(socket)
  status.catch(() => {})
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.write(`${route} HTTP/1.1\r\n${head.join('')}\r\n${body}`, error => (error ? reject(error) : resolve()))
  })
  return { status }
}

/** Reads until the answer is complete according to its length. */
function statusFrom(socket: Socket): Promise<number> {
  let text = ''
  return new Promise((resolve, reject) => {
    socket.on('data', chunk => {
      text += chunk
      const [, status, length] = /^HTTP\/1\.1 (\d{3}) .*?\r\ncontent-length: (\d+)\r\n/is.exec(text) ?? []
      const start = text.indexOf('\r\n\r\n') + 4
      if (start < 4 || length === undefined || Buffer.byteLength(text.slice(start)) < Number(length)) return
      resolve(Number(status))
      socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`the connection ended after ${JSON.stringify(text.slice(0, 200))}`)))
  })
}
