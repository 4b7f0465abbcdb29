import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

// Nothing here can build an image; what can be seen without it is seen.
test('deploy/Dockerfile: copies what is there, is for any service, is not root, and says whether it is well', () => {
  const text = readFileSync(join(ROOT, 'deploy/Dockerfile'), 'utf8')
  const stages = text.split(/^(?=FROM )/m).slice(1)
  const lines = text.split('\n')
  const copied = lines.filter(line => /^COPY (?!--from)/.test(line)).flatMap(line => line.split(/\s+/).slice(1, -1))
  for (const path of copied) assert.ok(existsSync(join(ROOT, path)), path)
  for (const stage of stages) assert.equal(stage.includes('$SERVICE'), stage.includes('ARG SERVICE'), stage)
  assert.doesNotMatch(text.replaceAll(/^#.*$/gm, ''), /services\/[a-z]/)
  const last = stages.at(-1) ?? ''
  for (const line of [/^USER node$/m, /^HEALTHCHECK /m, /^CMD .*"dist\/main\.js"\]$/m]) assert.match(last, line)
  // What V8 has compiled is used again only with the same options.
  const command = (JSON.parse(/^CMD (\[.*"dist\/main\.js"\])$/m.exec(last)?.[1] ?? '[]') as string[]).join(' ')
  assert.ok(command !== '' && last.includes(`\nRUN ${command} `), command)
  // Its context has them, and they must not get into an image's layers.
  assert.match(readFileSync(join(ROOT, '.dockerignore'), 'utf8'), /^deploy\/secrets$/m)
})
