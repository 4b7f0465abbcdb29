import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import type { Platform } from './platform.ts'

/** What no answer may reveal: stacks, paths, statements, names of drivers and their errors, internal addresses. */
const INTERNALS: readonly RegExp[] = [
  /\bat .{1,200}[./][cm]?[jt]s:\d+/,
  /node_modules|file:\/\/|\/(?:packages|services|contracts)\/\w/,
  /syntax error at or near|violates .{1,80} constraint|invalid (?:input|byte sequence)|relation "/i,
  /\b(?:insert into|update "?\w+"? set|delete from|select .{1,200} from) "?(?:users|roles|sessions|api_keys)\b/i,
  /\b(?:Mongo\w*Error|PostgresError|DatabaseError|TypeError|RangeError|ReferenceError|SyntaxError)\b/,
  /\b(?:kysely|undici|fastify|typebox|lru-cache|E11000|BSONError)\b|\bFST_ERR|\bERR_[A-Z]+_|\bECONN/i,
  /\b(?:nats|postgres(?:ql)?|mongodb):\/\//,
]

/** What no answer, log or message may contain, for any user. */
const SECRETS: readonly RegExp[] = [
  /\$argon2/,
  /BEGIN [A-Z ]*PRIVATE KEY/,
  /:\/\/[^:/?#\s"]+:(?!\[redacted\])[^@/?#\s"]+@/,
]

/** @param echoed what the request contained: repeating it is not a leak */
export function assertNothingInternal(text: string, platform: Platform, echoed: readonly string[] = []): void {
  const said = echoed.reduce((rest, each) => (each.length > 3 ? rest.replaceAll(each, '') : rest), text)
  for (const pattern of [...INTERNALS, ...SECRETS]) assert.doesNotMatch(said, pattern)
  assert.ok(!said.includes(tmpdir()), said)
  const within = [platform.nats, platform.postgres, platform.documents, platform.auth, platform.blog]
  for (const { url } of within) assert.ok(!said.includes(new URL(url).host), said)
}

/**
 * Scans the output of all programs for the secrets that a test used, and for anything that looks like a secret.
 * @param secrets passwords, keys and tokens that were created or sent
 */
export function assertNoSecretsLogged(platform: Platform, secrets: Iterable<string>): void {
  // The signature of a token would be enough: whoever has it can reconstruct the rest.
  const used = [...new Set(secrets)].flatMap(secret => [secret, ...secret.split('.')]).filter(text => text.length >= 8)
  for (const program of [platform.auth, platform.blog, platform.gateway]) {
    const { output } = program
    assert.ok(output.length > 0, 'there is a log to scan')
    for (const pattern of [...SECRETS, /eyJ[\w-]{8,}\.[\w-]+/]) assert.doesNotMatch(output, pattern)
    const found = used.filter(text => output.includes(text))
    assert.deepEqual(found, [])
  }
}
