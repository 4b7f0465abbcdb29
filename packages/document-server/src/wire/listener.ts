import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

/** PEM files for TLS. */
export interface ServerTls {
  /** The server's certificate, followed by those of the authorities between it and the root. */
  readonly certFile: string
  readonly keyFile: string
  /** If given, only clients with a certificate of this authority are accepted. */
  readonly clientCaFile?: string | undefined
}

/** How long a client may take for the handshake, in milliseconds. */
const HANDSHAKE_MS = 10_000

/** Receives connections, encrypted or not. */
export interface Listener {
  readonly server: Server
  /** @param serve gets each connection that is ready for messages */
  accept(serve: (socket: Socket) => void): void
  /** Ends the connections that are not ready yet. */
  dropUnready(): void
}

/** @throws Error in one clear line if a file cannot be read, or is not what its name says */
export function openListener(tls: ServerTls | undefined): Listener {
  const server = tls ? tlsServer(tls) : createServer()
  /** Those with which the handshake has not ended. */
  const unready = new Map<string, Socket>()
  if (tls)
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket)
      unready.set(peer, socket)
      socket.once('close', () => unready.delete(peer))
      socket.on('error', () => socket.destroy())
    })
  return {
    server,
    accept(serve) {
      server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
        unready.delete(peerOf(socket))
        serve(socket)
      })
    },
    dropUnready() {
      for (const socket of unready.values()) socket.destroy()
    },
  }
}

/** The same for a connection and for what encrypts it. */
const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`

function tlsServer({ certFile, keyFile, clientCaFile }: ServerTls): Server {
  const [cert, key, ca] = [certFile, keyFile, clientCaFile].map(read)
  const mutual = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }
  try {
    return createTlsServer({ cert, key, ...mutual, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS })
  } catch (error) {
    throw new Error(`TLS cannot be used: ${(error as Error).message}: check ${certFile} and ${keyFile}`)
  }
}

function read(file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Error(`a file for TLS cannot be read: ${(error as Error).message}`)
  }
}
