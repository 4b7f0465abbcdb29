// Writes random secrets, and the URLs that contain them, to deploy/secrets: those of secrets.json. Existing files are kept.
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
  /** An empty text is a random secret, any other a URL with the secrets that it names in braces. @type {Record<string, string>} */
  const wanted = JSON.parse(readFileSync(new URL('secrets.json', import.meta.url), 'utf8'))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  /** @param {string} name @returns {string} */
  const secret = name => {
    const text = wanted[name]
    if (text === undefined) throw new Error(`secrets.json names the secret ${name}, which it does not have`)
    const file = `${folder}/${name}`
    if (!existsSync(file)) {
      const made =
        text === '' ? randomBytes(32).toString('base64url') : text.replace(/\{(\w+)\}/g, (_, part) => secret(part))
      writeFileSync(file, made, { flag: 'wx', mode: 0o644 })
    }
    return readFileSync(file, 'utf8')
  }
  for (const name of Object.keys(wanted)) secret(name)
  console.log(`secrets are in ${folder}`)
}
