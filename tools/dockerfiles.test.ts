import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MANIFESTS = globSync('{packages/*,contracts/*,services/*,kong/plugins}/package.json', { cwd: ROOT })

// Nothing here can build an image; what can be seen without it is seen.
for (const service of ['auth', 'blog']) {
  test(`services/${service}/Dockerfile: copies what is there, is not root, and says whether it is well`, () => {
    const lines = readFileSync(join(ROOT, 'services', service, 'Dockerfile'), 'utf8').split('\n')
    const copied = lines.filter(line => /^COPY (?!--from)/.test(line)).flatMap(line => line.split(/\s+/).slice(1, -1))
    for (const path of copied) assert.ok(existsSync(join(ROOT, path)), path)
    // npm refuses a lockfile that knows of workspaces which are not there.
    for (const manifest of MANIFESTS) assert.ok(copied.includes(manifest), manifest)
    assert.ok(lines.includes('USER node'))
    assert.ok(lines.some(line => line.startsWith('HEALTHCHECK ')))
    const bundled = lines.find(line => /^RUN node .*bundle/.test(line)) ?? ''
    assert.ok(bundled.endsWith(` ${service}`))
    const started = lines.findLast(line => line.startsWith('CMD ')) ?? ''
    assert.ok(started.endsWith(`"services/${service}/dist/main.js"]`))
    // What V8 has compiled is used again only with the same options.
    const command = (JSON.parse(started.slice('CMD '.length)) as string[]).join(' ')
    assert.ok(lines.some(line => line.startsWith(`RUN ${command}`)))
  })
}
