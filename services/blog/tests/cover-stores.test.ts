import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { DiskCoverStore } from '../src/api/cover/disk-store.ts'
import { S3CoverStore } from '../src/api/cover/s3-store.ts'
import type { CoverStore } from '../src/api/cover/store.ts'
import { S3_KEYS, startS3 } from './support/s3-double.ts'

interface Made {
  readonly store: CoverStore
  /** The names of everything that is stored. */
  names(): Promise<readonly string[]>
}

const STORES: Readonly<Record<string, (own: AsyncDisposableStack) => Promise<Made>>> = {
  async disk(own) {
    const folder = await mkdtemp(join(tmpdir(), 'blog-covers-'))
    own.defer(() => rm(folder, { recursive: true, force: true }))
    const covers = join(folder, 'made', 'later')
    return { store: new DiskCoverStore(covers), names: () => readdir(covers) }
  },
  async S3(own) {
    const s3 = own.use(await startS3('covers'))
    const store = new S3CoverStore({ ...S3_KEYS, endpoint: s3.endpoint, bucket: 'covers' })
    return { store, names: async () => [...s3.objects.keys()] }
  },
}

const put = (store: CoverStore, key: string, bytes: Buffer<ArrayBuffer>) =>
  store.put(key, new Blob([bytes], { type: 'image/png' }), createHash('sha256').update(bytes).digest('hex'))

async function read(store: CoverStore, key: string): Promise<Buffer | undefined> {
  const content = await store.get(key)
  return content && Buffer.concat(await Array.fromAsync(content))
}

for (const [name, make] of Object.entries(STORES)) {
  test(`${name}: what is put can be read until it is removed; removing twice is fine`, async () => {
    await using own = new AsyncDisposableStack()
    const { store, names } = await make(own)
    const large = Buffer.alloc(3_000_000, 'large')
    assert.equal(await read(store, 'a.png'), undefined)
    await Promise.all([put(store, 'a.png', Buffer.from('first')), put(store, 'b.png', large)])
    assert.deepEqual(await read(store, 'a.png'), Buffer.from('first'))
    assert.ok((await read(store, 'b.png'))?.equals(large))
    await store.remove('a.png')
    await store.remove('a.png')
    assert.equal(await read(store, 'a.png'), undefined)
    assert.deepEqual(await names(), ['b.png'])
  })

  test(`${name}: a picture that breaks off leaves nothing to read`, async () => {
    await using own = new AsyncDisposableStack()
    const { store, names } = await make(own)
    await put(store, 'whole.png', Buffer.from('whole'))
    const picture = new Blob(['x'.repeat(100_000)])
    picture.stream = () => new ReadableStream({ pull: stream => stream.error(new Error('gone')) })
    await assert.rejects(store.put('part.png', picture, '0'.repeat(64)))
    assert.equal(await read(store, 'part.png'), undefined)
    assert.deepEqual(await names(), ['whole.png'])
  })
}

test('disk: what a killed process has left is removed with its key', async () => {
  await using own = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'blog-covers-'))
  own.defer(() => rm(folder, { recursive: true, force: true }))
  const store = new DiskCoverStore(folder)
  await writeFile(join(folder, 'a.png.part'), 'half')
  assert.equal(await read(store, 'a.png'), undefined)
  await store.remove('a.png')
  assert.deepEqual(await readdir(folder), [])
})

test('S3: a failure that passes is not noticed, others are SERVICE_UNAVAILABLE', async () => {
  await using s3 = await startS3('covers')
  const options = { ...S3_KEYS, endpoint: s3.endpoint, bucket: 'covers' }
  const store = new S3CoverStore(options)
  s3.failures.push(500, 503)
  await put(store, 'a.png', Buffer.from('first'))
  assert.deepEqual(await read(store, 'a.png'), Buffer.from('first'))
  s3.failures.push(500, 500, 500)
  await assert.rejects(store.get('a.png'), SERVICE_UNAVAILABLE)
  const wrong = new S3CoverStore({ ...options, secretAccessKey: 'guessed' })
  await assert.rejects(wrong.get('a.png'), SERVICE_UNAVAILABLE)
  await assert.rejects(wrong.remove('a.png'), SERVICE_UNAVAILABLE)
  await assert.rejects(
    put(new S3CoverStore({ ...options, bucket: 'other' }), 'a.png', Buffer.from('b')),
    SERVICE_UNAVAILABLE,
  )
  assert.deepEqual([...s3.objects.keys()], ['a.png'])
})

test('S3: a server that cannot be reached is SERVICE_UNAVAILABLE', async () => {
  const { endpoint } = await startS3('covers').then(async s3 => {
    await s3[Symbol.asyncDispose]()
    return s3
  })
  const store = new S3CoverStore({ ...S3_KEYS, endpoint, bucket: 'covers' })
  await assert.rejects(store.get('a.png'), SERVICE_UNAVAILABLE)
})
