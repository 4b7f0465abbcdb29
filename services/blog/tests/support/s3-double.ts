import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const S3_KEYS = { accessKeyId: 'the-id', secretAccessKey: 'the-secret', region: 'eu-test-1' }

/** A bucket at the protocol's door: it keeps objects in memory, and accepts only requests that are signed (AWS Signature Version 4). */
export interface S3Double extends AsyncDisposable {
  readonly endpoint: string
  readonly objects: Map<string, Buffer>
  /** Statuses of the next answers, instead of doing what is asked. */
  readonly failures: number[]
}

export async function startS3(bucket: string): Promise<S3Double> {
  const objects = new Map<string, Buffer>()
  const failures: number[] = []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    const failure = failures.shift() ?? refusal(request, body)
    if (failure !== undefined) response.writeHead(failure).end('<Error/>')
    else answer(objects, bucket, request, body, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    objects,
    failures,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}

function answer(
  objects: Map<string, Buffer>,
  bucket: string,
  { method, url = '' }: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): void {
  const [, name, key = ''] = url.split('/')
  const found = objects.get(key)
  if (name !== bucket) response.writeHead(404)
  else if (method === 'PUT') objects.set(key, body)
  else if (method === 'DELETE') {
    objects.delete(key)
    response.writeHead(204)
  } else if (found) response.write(found)
  else response.writeHead(404)
  response.end()
}

/** The status for a request that is not signed, or is another one than was signed. */
function refusal({ method = '', url = '', headers }: IncomingMessage, body: Buffer): number | undefined {
  const pattern = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
  const [, credential = '', signed = '', signature] = pattern.exec(headers.authorization ?? '') ?? []
  const [id, day = '', region = '', service, end] = credential.split('/')
  const [time, hash] = [String(headers['x-amz-date']), String(headers['x-amz-content-sha256'])]
  if (id !== S3_KEYS.accessKeyId || region !== S3_KEYS.region || service !== 's3' || end !== 'aws4_request') return 403
  if (!signed.split(';').includes('host') || time.slice(0, 8) !== day) return 403
  const isSent = headers['content-length'] !== undefined && method === 'PUT'
  if (isSent ? hash !== sha256(body) : method === 'PUT') return 400
  const lines = signed.split(';').map(name => `${name}:${headers[name]}\n`)
  const canonical = [method, url, '', lines.join(''), signed, hash].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${S3_KEYS.secretAccessKey}`)
  const expected = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')).toString('hex')
  return signature === expected ? undefined : 403
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
