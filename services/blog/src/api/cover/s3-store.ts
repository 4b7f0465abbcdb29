import { AwsClient } from 'aws4fetch'
import { currentContext, SERVICE_UNAVAILABLE } from 'tsmicro'
import type { CoverStore } from './store.ts'

export interface S3Options {
  /** `https://s3.example.com`; the bucket follows as the path. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Attempts after the first if the server has failed. */
const RETRIES = 2

/** Covers in a bucket of a server that speaks S3. */
export class S3CoverStore implements CoverStore {
  readonly #client: AwsClient
  readonly #bucket: string

  constructor({ endpoint, bucket, region, accessKeyId, secretAccessKey }: S3Options) {
    this.#client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: RETRIES })
    this.#bucket = `${endpoint.replace(/\/$/, '')}/${bucket}`
  }

  async put(key: string, picture: Blob, sha256: string): Promise<void> {
    const headers = { 'content-type': picture.type, 'x-amz-content-sha256': sha256 }
    await this.#send(key, { method: 'PUT', body: picture, headers })
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return (await this.#send(key, { method: 'GET' }))?.body ?? undefined
  }

  async remove(key: string): Promise<void> {
    await this.#send(key, { method: 'DELETE' })
  }

  /** Undefined if what is read or removed is not there. */
  async #send(key: string, init: RequestInit & { readonly method: string }): Promise<Response | undefined> {
    const signal = currentContext()?.deadline.signal ?? null
    const answer = await this.#client.fetch(`${this.#bucket}/${key}`, { ...init, signal }).catch(cause => {
      signal?.throwIfAborted()
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    })
    if (answer.ok && init.method === 'GET') return answer
    // Otherwise the connection would not become free.
    const text = await answer.text().catch(() => '')
    if (answer.ok) return answer
    if (answer.status === 404 && init.method !== 'PUT') return undefined
    const cause = new Error(`the covers' S3 answered ${answer.status} to ${init.method}: ${text.slice(0, 500)}`)
    throw new SERVICE_UNAVAILABLE(undefined, { cause })
  }
}
