import { connect, type Socket } from 'node:net'

/** A raw connection to a service. */
export async function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await new Promise<void>(resolve => socket.once('connect', () => resolve()))
  return socket
}

/** Sends bytes and reads until the other side ends the connection. */
export async function exchange(url: string, text: string): Promise<string> {
  const socket = await dial(url)
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  socket.write(text)
  await new Promise(resolve => socket.once('close', resolve))
  return Buffer.concat(chunks).toString()
}
