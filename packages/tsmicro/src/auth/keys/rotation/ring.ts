import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Log } from '../../../call/index.ts'
import { rootMessage, SERVICE_UNAVAILABLE } from '../../../errors/index.ts'
import { KeyDirectory } from '../directory.ts'
import { type PublishedKeySet, publishedKey } from '../jwk.ts'
import type { KeyPair } from '../key-pair.ts'
import { firstScan, type KeyRingOptions } from '../load.ts'
import { HeldKeys } from './held.ts'
import { type KeyPublications, type PublicationRecord, signingKey } from './publications.ts'
import { Reporter } from './reporter.ts'

export interface RotatingKeyRingOptions extends KeyRingOptions {
  readonly publications: KeyPublications
  readonly log: Log
  /** How often directory and record are looked at, in milliseconds. Default 1000. */
  readonly checkMs?: number
}

/** A key that nobody knows makes us look into the record at most this often, whatever forged tokens name. */
const LOOK_AGAIN_MS = 200

/**
 * The keys of an issuer that has several instances and changes its keys while it runs. A key file that appears is published at
 * once, signs when the record says so, and is used no more when it is gone; a key that is withdrawn in the record neither signs
 * nor verifies from the next look on. Without the record it goes on with what it knows.
 *
 * @example
 * const keys = await RotatingKeyRing.load({ directory: config.KEY_DIRECTORY, publications, log })
 * await keys.start()
 * const signer = createTokenSigner({ keyRing: keys, issuer, audience })
 * const verifier = createTokenVerifier({ keys, issuer, audience })
 * await keys.stop()
 */
export class RotatingKeyRing {
  readonly #options: RotatingKeyRingOptions
  readonly #directory: KeyDirectory
  readonly #reporter: Reporter
  #held: HeldKeys
  #record: PublicationRecord = { now: 0, publications: [] }
  #verifying: ReadonlyMap<string, KeyObject> = new Map()
  /** `performance.now()` of the record's last good reading. */
  #readAt = Number.NEGATIVE_INFINITY
  #refreshing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #running = false
  #signs: string | undefined

  private constructor(options: RotatingKeyRingOptions, directory: KeyDirectory, keys: readonly KeyPair[]) {
    this.#options = options
    this.#directory = directory
    this.#reporter = new Reporter(options.log)
    this.#held = new HeldKeys(keys)
  }

  /** Reads the directory for the first time. @throws {Error} when it holds no usable key and none may be made */
  static async load(options: RotatingKeyRingOptions): Promise<RotatingKeyRing> {
    const directory = new KeyDirectory(options.directory)
    return new RotatingKeyRing(options, directory, (await firstScan(directory, options)).keys)
  }

  /** The key that signs now. @throws {SERVICE_UNAVAILABLE} when every key that this instance has is withdrawn */
  get current(): KeyPair {
    const key = this.#signingKey()
    if (!key) throw new SERVICE_UNAVAILABLE(undefined, { cause: new Error('no signing key may be used') })
    return key
  }

  /** Every public key that a good token may be signed with, newest first; also of keys that only other instances have. */
  jwks(): PublishedKeySet {
    return { keys: this.#record.publications.flatMap(({ key, withdrawn }) => (withdrawn ? [] : [{ ...key }])) }
  }

  /**
   * A public key by its name; an unknown one is looked for in the record, as another instance may have published it just now.
   * @throws {SERVICE_UNAVAILABLE} when the record cannot be read: nothing is known about the key then
   */
  async find(kid: string): Promise<KeyObject | undefined> {
    const known = this.#verifying.get(kid)
    if (known || performance.now() - this.#readAt < LOOK_AGAIN_MS) return known
    await this.refresh().catch(cause => {
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    })
    return this.#verifying.get(kid)
  }

  /** Publishes what is there and goes on looking. @throws what the record throws, and nothing runs then */
  async start(): Promise<void> {
    await this.refresh()
    this.#running = true
    this.#schedule()
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#running = false
    clearTimeout(this.#timer)
    await this.#refreshing?.catch(() => undefined)
  }

  /** Looks at directory and record now; those who ask meanwhile get the same look. @throws what the record throws */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  #schedule(): void {
    this.#timer = setTimeout(async () => {
      await this.refresh().catch(() => undefined)
      if (this.#running) this.#schedule()
    }, this.#options.checkMs ?? 1000)
    this.#timer.unref()
  }

  async #refresh(): Promise<void> {
    const problems = new Set<string>()
    const scan = await this.#directory.scan().catch((error: Error) => {
      problems.add(`signing keys: ${error.message}; those that were loaded are used on`)
      return undefined
    })
    for (const problem of scan?.problems.values() ?? []) problems.add(problem)
    if (scan) this.#held = this.#held.after(scan.keys, this.#signs, this.#record, this.#now())
    for (const problem of this.#held.problems(this.#options.directory)) problems.add(problem)
    try {
      const record = await this.#options.publications.publish(this.#held.keys.map(publishedKey))
      this.#readAt = performance.now()
      this.#record = record
      this.#verifying = verifyingKeys(record, this.#verifying)
      if (!this.#signingKey())
        problems.add('signing keys: all are withdrawn: nobody can sign in until there is a new one')
    } catch (error) {
      problems.add(
        `signing keys: the record of published ones cannot be read (${rootMessage(error)}); known ones are used on`,
      )
      throw error
    } finally {
      this.#reporter.report(problems)
      this.#tellWhoSigns()
    }
  }

  #signingKey(): KeyPair | undefined {
    return signingKey(this.#held.byKid, this.#record.publications, this.#now())
  }

  /** By the record's clock. */
  #now(): number {
    return this.#record.now + (performance.now() - this.#readAt)
  }

  #tellWhoSigns(): void {
    const kid = this.#signingKey()?.kid
    if (kid !== this.#signs && kid !== undefined) this.#options.log.info({ kid }, 'this key signs tokens from now on')
    this.#signs = kid
  }
}

function verifyingKeys(
  { publications }: PublicationRecord,
  before: ReadonlyMap<string, KeyObject>,
): ReadonlyMap<string, KeyObject> {
  return new Map(
    publications
      .filter(({ withdrawn }) => !withdrawn)
      .map(({ key: { kid, kty, n, e } }) => [
        kid,
        before.get(kid) ?? createPublicKey({ key: { kty, n, e }, format: 'jwk' }),
      ]),
  )
}
