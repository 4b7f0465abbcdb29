import { createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Platform, startPlatform } from '../platform.ts'
import { type Scene, setScene } from '../scene.ts'
import { shared } from '../shared.ts'

/** A platform whose private keys a test may read, to create tokens that have only one fault. */
export interface KeyedPlatform extends AsyncDisposable {
  readonly platform: Platform
  readonly scene: Scene
  /** The key that signed a token. */
  signingKeyOf(token: string): Promise<KeyObject>
}

/** Of all test files in this process. */
export const sharedKeyedPlatform = shared(async (): Promise<KeyedPlatform> => {
  await using started = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-keys-'))
  started.defer(() => rm(directory, { recursive: true, force: true }))
  const keys = join(directory, 'keys')
  const platform = started.use(await startPlatform({ patient: true, env: { KEYS_DIR: keys } }))
  const scene = await setScene(platform)
  const all = started.move()
  return { platform, scene, signingKeyOf: token => keyOf(token, keys), [Symbol.asyncDispose]: () => all.disposeAsync() }
})

async function keyOf(token: string, directory: string): Promise<KeyObject> {
  const [header, claims, signature = ''] = token.split('.')
  for (const file of await readdir(directory)) {
    const key = createPrivateKey(await readFile(join(directory, file)))
    const signed = Buffer.from(`${header}.${claims}`)
    if (verify('RSA-SHA256', signed, createPublicKey(key), Buffer.from(signature, 'base64url'))) return key
  }
  throw new Error('no key in KEYS_DIR signed the token')
}
