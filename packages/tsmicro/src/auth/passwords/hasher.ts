import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import type * as Argon2 from '@node-rs/argon2'
import { FairQueue, type WorkOptions } from './fair-queue.ts'

interface PasswordHasherOptions {
  /** Default 19456 (19 MiB) with `timeCost` 2 and `parallelism` 1: OWASP's Password Storage Cheat Sheet. */
  readonly memoryCostKiB?: number
  readonly timeCost?: number
  readonly parallelism?: number
  /**
   * Hashes at the same time; each holds a thread and its memory. Default: the number of cores, at least 2 and at most 3, as
   * libuv has 4 threads by default, and files and name look-ups need one.
   */
  readonly concurrency?: number
  /** Hashes of one kind that may wait; beyond that, whoever has the most waiting gets `OVERLOADED`. Default 64. */
  readonly maxQueued?: number
}

/** Argon2id with bounded concurrency, shared fairly between the kinds of work and the callers. */
export interface PasswordHasher {
  /**
   * @returns the PHC string to store, parameters and salt included
   * @throws {OVERLOADED} if the queue is full
   * @throws the signal's reason if it aborts before the work has begun
   */
  hash(password: string, work?: WorkOptions): Promise<string>
  /**
   * Whether the password matches. Without a hash (unknown e-mail) it does the same work and answers false, so that the response
   * time does not reveal who has an account.
   * @throws {OVERLOADED} if the queue is full
   * @throws the signal's reason if it aborts before the work has begun
   * @throws {Error} if the stored text is not an argon2 hash
   */
  verify(storedHash: string | undefined, password: string, work?: WorkOptions): Promise<boolean>
  /** True if a stored hash was made with other parameters than today's: hash again after a successful sign-in. */
  needsRehash(storedHash: string): boolean
}

const argon2id = 2
const version19 = 0x13
const outputBytes = 32
const saltBytes = 16

/**
 * Needs `@node-rs/argon2`. It is loaded by this call, so that services that only check tokens need not install it.
 *
 * @throws {Error} if `@node-rs/argon2` is not installed
 * @example
 * const passwords: PasswordHasher = createPasswordHasher()
 * const stored = await passwords.hash('correct horse')
 * await passwords.verify(stored, 'correct horse') // true
 * await passwords.verify(undefined, 'correct horse') // false, after the same work
 * const work: WorkOptions = { kind: 'sign-up', by: '203.0.113.9', signal: AbortSignal.timeout(5000) }
 * await passwords.hash('battery staple', work)
 */
export function createPasswordHasher(options: PasswordHasherOptions = {}): PasswordHasher {
  const { memoryCostKiB: memoryCost = 19456, timeCost = 2, parallelism = 1, maxQueued = 64 } = options
  const concurrency = options.concurrency ?? Math.min(3, Math.max(2, availableParallelism()))
  const { hash, parseOptions, verify } = loadArgon2()
  const queue = new FairQueue({ concurrency, maxQueued })
  const cost = { memoryCost, timeCost, parallelism, outputLen: outputBytes }
  // A random salt and digest in the right form: verifying against it costs as much as against a real one, and never matches.
  const nobody = `$argon2id$v=${version19}$m=${memoryCost},t=${timeCost},p=${parallelism}$${random(saltBytes)}$${random(outputBytes)}`
  return {
    hash: (password, work) => queue.run(() => hash(normalize(password), cost), work),
    verify: (storedHash, password, work) => queue.run(() => verify(storedHash ?? nobody, normalize(password)), work),
    needsRehash(storedHash) {
      const made = parseOptions(storedHash)
      return (
        Number(made.algorithm) !== argon2id ||
        !storedHash.includes(`$v=${version19}$`) ||
        made.memoryCost !== memoryCost ||
        made.timeCost !== timeCost ||
        made.parallelism !== parallelism ||
        made.outputLen !== outputBytes
      )
    },
  }
}

function loadArgon2(): typeof Argon2 {
  try {
    return createRequire(import.meta.url)('@node-rs/argon2')
  } catch (cause) {
    throw new Error('passwords need @node-rs/argon2: npm install @node-rs/argon2', { cause })
  }
}

/**
 * NFKC, as NIST SP 800-63B section 5.1.1.2 requires: the same password typed on another keyboard or system may arrive in other
 * code points (a composed or decomposed é, full-width digits), and would be refused.
 */
function normalize(password: string): string {
  return password.normalize('NFKC')
}

function random(bytes: number): string {
  return randomBytes(bytes).toString('base64').replace(/=+$/, '')
}
