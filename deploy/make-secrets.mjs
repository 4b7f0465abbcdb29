// Writes random secrets, and the URLs that contain them, to deploy/secrets. Existing files are kept.
//
//   node deploy/make-secrets.mjs
//
// Any version of Node will do. Compose mounts the files as they are, and the containers run as other users: so the files are
// readable by everybody (644), but in a folder that only you can open (700).
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

if (process.argv.length > 2) {
  console.error('make-secrets: takes no arguments; it writes deploy/secrets')
  process.exitCode = 2
} else {
  makeSecrets(fileURLToPath(new URL('secrets', import.meta.url)))
}

/** @param {string} folder */
function makeSecrets(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  /** @param {string} name @param {string} text */
  const keep = (name, text) => {
    const file = `${folder}/${name}`
    if (!existsSync(file)) writeFileSync(file, text, { flag: 'wx', mode: 0o644 })
    return readFileSync(file, 'utf8')
  }
  /** @param {string} name */
  const random = name => keep(name, randomBytes(32).toString('base64url'))

  for (const name of ['gateway_secret', 'verify_secret']) random(name)
  const postgres = random('postgres_password')
  const mongodb = random('mongodb_password')
  const redis = random('redis_password')
  keep('auth_database_url', `postgres://auth:${postgres}@postgres:5432/auth`)
  keep('auth_nats_url', `nats://auth:${random('auth_nats_password')}@nats:4222`)
  keep('blog_nats_url', `nats://blog:${random('blog_nats_password')}@nats:4222`)
  // Who may create streams, and who runs the operators' tools.
  keep('streams_nats_url', `nats://streams:${random('streams_nats_password')}@nats:4222`)
  random('operator_nats_password')
  random('observer_nats_password')
  keep('blog_mongodb_url', `mongodb://blog:${mongodb}@mongodb:27017/?authSource=admin`)
  keep('blog_redis_url', `redis://:${redis}@redis:6379`)
  console.log(`secrets are in ${folder}`)
}
