import { randomBytes } from 'node:crypto'

/** By the prefix a scanner of repositories or logs finds keys that leaked. 32 random bytes: beyond guessing, hashed or not. */
export function generateApiKey(): string {
  return `tsmk_${randomBytes(32).toString('base64url')}`
}
