import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Log } from '../../call/index.ts'
import { rootMessage, SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { KeyDirectory } from './key-directory.ts'
import { type KeyPair, type PublishedKeySet, publishedKey } from './key-pair.ts'
import type { KeyRingOptions } from './key-ring.ts'
import { HeldKeys, type KeyPublications, type PublicationRecord, signingKey } from './publications.ts'

interface RotatingKeyRingOptions extends KeyRingOptions {
  readonly publications: KeyPublications
  readonly log: Log
  /** Milliseconds between two looks at the directory and the record. Default 1000. */
  readonly checkMs?: number
}

/** An unknown key makes us read the record at most this often, however many keys forged tokens name. */
const LOOK_AGAIN_MS = 200

/**
 * The keys of an issuer that has several instances and changes its keys at run time. A new key file is published at once and
 * signs when the record says so; a key whose file is gone is no longer used. A key that is withdrawn in the record neither
 * signs nor verifies from the next look on. While the record cannot be reached, the ring goes on with what it knows. Nothing is
 * read before `start`.
 *
 * @example
 * const keys = new RotatingKeyRing({ directory: config.KEY_DIRECTORY, publications, log })
 * await keys.start()
 * const signer = createTokenSigner({ keyRing: keys, issuer, audience })
 * const verifier = createTokenVerifier({ keys, issuer, audience })
 * await keys.stop()
 */
export class RotatingKeyRing {
  readonly #options: RotatingKeyRingOptions
  readonly #directory: KeyDirectory
  readonly #reporter: ProblemReporter
  #held = new HeldKeys([])
  #record: PublicationRecord = { now: 0, publications: [] }
  #verifying: ReadonlyMap<string, KeyObject> = new Map()
  /** `performance.now()` when the record was last read. */
  #readAt = Number.NEGATIVE_INFINITY
  #refreshing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #running = false
  /** The key that signed at the last look. */
  #signs: string | undefined

  constructor(options: RotatingKeyRingOptions) {
    this.#options = options
    this.#directory = new KeyDirectory(options.directory)
    this.#reporter = new ProblemReporter(options.log)
  }

  /** The key that signs now. @throws {SERVICE_UNAVAILABLE} before the start, and if every key of this instance is withdrawn */
  get current(): KeyPair {
    const key = this.#signingKey()
    if (!key) throw new SERVICE_UNAVAILABLE(undefined, { cause: new Error('no signing key may be used') })
    return key
  }

  /** Every public key that a valid token may be signed with, newest first, including those that only other instances hold. */
  jwks(): PublishedKeySet {
    return { keys: this.#record.publications.flatMap(({ key, withdrawn }) => (withdrawn ? [] : [{ ...key }])) }
  }

  /** A public key of the record as it was last read. */
  known(kid: string): KeyObject | undefined {
    return this.#verifying.get(kid)
  }

  /**
   * Finds a public key by its name. For an unknown one it reads the record: another instance may have just published it.
   * @throws {SERVICE_UNAVAILABLE} if the record cannot be read: then nothing is known about the key
   */
  async find(kid: string): Promise<KeyObject | undefined> {
    const known = this.known(kid)
    if (known || performance.now() - this.#readAt < LOOK_AGAIN_MS) return known
    await this.refresh().catch(cause => {
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    })
    return this.known(kid)
  }

  /**
   * Reads the directory, publishes its keys and keeps watching both.
   * @throws {Error} if the directory holds no usable key and none may be made; whatever the record throws
   */
  async start(): Promise<void> {
    const { keys } = await this.#directory.load(this.#options)
    this.#held = new HeldKeys(keys)
    await this.refresh()
    this.#running = true
    this.#schedule()
  }

  /** Resolves once no look is in progress. */
  async stop(): Promise<void> {
    this.#running = false
    clearTimeout(this.#timer)
    await this.#refreshing?.catch(() => undefined)
  }

  /** Looks at directory and record now; concurrent callers share one look. @throws whatever the record throws */
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
      problems.add(`signing keys: ${error.message}; the keys already loaded stay in use`)
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
        problems.add('signing keys: all of them are withdrawn: nobody can sign in until there is a new one')
    } catch (error) {
      problems.add(
        `signing keys: the record of published keys cannot be read (${rootMessage(error)}); the known keys stay in use`,
      )
      throw error
    } finally {
      this.#reporter.report(problems)
      this.#logNewSigner()
    }
  }

  #signingKey(): KeyPair | undefined {
    return signingKey(this.#held.byKid, this.#record.publications, this.#now())
  }

  /** By the record's clock. */
  #now(): number {
    return this.#record.now + (performance.now() - this.#readAt)
  }

  #logNewSigner(): void {
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

/** Logs each problem once, and again if it comes back after it was gone. */
export class ProblemReporter {
  readonly #log: Log
  #seen: ReadonlySet<string> = new Set()
  readonly #logged = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  /**
   * @param problems all that exist now. A problem is logged when it is seen for the second time: a file that is being copied
   * looks broken for a moment
   */
  report(problems: ReadonlySet<string>): void {
    for (const logged of this.#logged) if (!problems.has(logged)) this.#logged.delete(logged)
    for (const problem of problems) {
      if (!this.#seen.has(problem) || this.#logged.has(problem)) continue
      this.#logged.add(problem)
      this.#log.error({}, problem)
    }
    this.#seen = problems
  }
}
