import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { startDocumentServer } from '@tsmicro/document-server'
import { MONGO_GREETING } from '../src/answers.ts'
import { makeAuthority } from '../src/index.ts'
import { tempDir } from './support/temp.ts'

const authority = makeAuthority('ours')

/** The files of a certificate for localhost. */
function pair(folder: string, name: string) {
  const { cert, key } = authority.issue(['localhost'])
  const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) }
  writeFileSync(files.certFile, cert)
  writeFileSync(files.keyFile, key)
  return files
}

test('strangers who never finish a handshake neither harm nor delay a server with TLS', async () => {
  using dir = tempDir()
  const server = await startDocumentServer({ dir: join(dir.path, 'data'), tls: pair(dir.path, 'server') })
  assert.match(server.url, /^mongodb:\/\/app:.*@127\.0\.0\.1:\d+\/\?tls=true$/)
  // One says nothing, one half a greeting, one speaks no TLS, one is reset in the middle.
  const strangers = ['', '\x16\x03\x01\x02\x00', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03'].map(text => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text, 'latin1'))
    return socket.on('error', () => undefined)
  })
  await Promise.all(strangers.map(socket => once(socket, 'connect')))
  strangers[3]?.resetAndDestroy()
  const client = connectTls({ port: server.port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert })
  client.write(MONGO_GREETING)
  const [reply] = (await once(client, 'data')) as [Buffer]
  assert.ok(reply.includes('maxWireVersion'))
  const gone = [client, strangers[0] ?? assert.fail()].map(socket => once(socket, 'close'))
  await server.close()
  await Promise.all(gone)
  for (const socket of strangers) socket.destroy()
})

test('files for TLS that cannot be used are refused in one line, and the directory is released', async () => {
  using dir = tempDir()
  const data = join(dir.path, 'data')
  const { certFile, keyFile } = pair(dir.path, 'server')
  const other = pair(dir.path, 'other')
  const start = (tls: { certFile: string; keyFile: string }) => startDocumentServer({ dir: data, tls })
  await assert.rejects(
    start({ certFile: join(dir.path, 'nothing'), keyFile }),
    /^Error: a file for TLS cannot be read: ENOENT/,
  )
  await assert.rejects(
    start({ certFile, keyFile: other.keyFile }),
    /^Error: TLS cannot be used: .*: check .*server\.pem/,
  )
  await using server = await startDocumentServer({ dir: data })
  assert.match(server.url, /^mongodb:\/\/app:[^/]*$/)
})
