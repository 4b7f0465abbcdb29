import { get } from 'node:http'
import { connect } from 'node:net'

/** Whether something is ready. Never throws. */
export type Probe = () => Promise<boolean>

/** Ready when `GET url` answers 200 within two seconds. */
export function httpProbe(url: string): Probe {
  return () =>
    new Promise(resolve => {
      const request = get(url, { agent: false, timeout: 2000, headers: { connection: 'close' } }, response => {
        response.resume()
        resolve(response.statusCode === 200)
      })
      request.once('timeout', () => request.destroy())
      request.once('error', () => resolve(false))
      request.once('close', () => resolve(false))
    })
}

/** Ready when a TCP connection is accepted. */
export function tcpProbe(port: number, host = '127.0.0.1'): Probe {
  return () =>
    new Promise(resolve => {
      const socket = connect({ port, host, timeout: 2000 })
      const end = (ready: boolean) => {
        socket.destroy()
        resolve(ready)
      }
      socket.once('connect', () => end(true))
      socket.once('timeout', () => end(false))
      socket.once('error', () => end(false))
    })
}
