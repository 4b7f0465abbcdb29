/** The tools that people use on OpenAPI and AsyncAPI documents take those of the services without a complaint. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isInstalled } from '../support/installed.ts'
import { asyncDocuments } from './asyncapi.ts'
import { documents } from './documents.ts'

const LINTERS = fileURLToPath(new URL('linters/', import.meta.url))
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
const skip = (await isInstalled(LINTERS)) ? false : 'npm ci --prefix tests/openapi/linters installs them'

let folder = ''
before(async () => {
  if (skip) return
  folder = await mkdtemp(join(tmpdir(), 'tsmicro-openapi-'))
  for (const [name, document] of Object.entries(await documents()))
    await writeFile(join(folder, `${name}.json`), JSON.stringify(document))
  // Without it, redocly would look for one in the folders above, and report that it finds none.
  await writeFile(join(folder, 'redocly.yaml'), 'extends: [recommended]\n')
})
after(async () => {
  if (folder) await rm(folder, { recursive: true, force: true })
})

/** Runs a program of `node_modules`; fails with its output. */
async function run(program: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' }
  const command = [join(LINTERS, 'node_modules', program), ...args]
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: folder, env }).catch(error =>
    assert.fail(`${error.stdout}${error.stderr}`),
  )
  return stdout
}

for (const name of ['auth', 'blog']) {
  test(`${name}: redocly has neither an error nor a warning`, { skip }, async () => {
    const found = JSON.parse(await run('@redocly/cli/bin/cli.js', 'lint', '--format=json', `${name}.json`))
    assert.deepEqual([found.totals, found.problems], [{ errors: 0, warnings: 0, ignored: 0 }, []])
  })
}

interface Finding {
  readonly code: string
  readonly message: string
  readonly path: readonly string[]
}

/** As much of `@asyncapi/parser` as is used; it is installed in the folder of the linters alone. */
interface AsyncApiModule {
  readonly Parser: new () => {
    validate(text: string): Promise<readonly Finding[]>
  }
}

test("AsyncAPI's own parser has neither an error nor a warning, and finds what is wrong with a broken document", {
  skip,
}, async () => {
  const { Parser }: AsyncApiModule = createRequire(join(LINTERS, 'package.json'))('@asyncapi/parser')
  const parser = new Parser()
  for (const [name, document] of asyncDocuments()) {
    const all = await parser.validate(JSON.stringify(document))
    // The documents use nothing of 3.1, and more programs read 3.0.
    const found = all.filter(({ code }) => code !== 'asyncapi-latest-version')
    assert.deepEqual(
      found.map(({ path, message }) => `${path.join('.')}: ${message}`),
      [],
      name,
    )
    const broken = { ...document, operations: { one: { action: 'receive', channel: { $ref: '#/channels/none' } } } }
    assert.ok((await parser.validate(JSON.stringify(broken))).length > all.length, name)
  }
})

/** A program that uses the generated types. */
const PROGRAM = `
import type { operations as Auth, paths as AuthPaths } from './auth.d.ts'
import type { paths as Blog } from './blog.d.ts'
type Latest = Blog['/list/latest']['get']['responses'][200]['content']['application/json']
export const titleOf = (latest: Latest): string | undefined => latest.data[0]?.title
export const signUp: Auth['auth.signUp']['requestBody']['content']['application/json'] = {
  email: 'ada@example.com', password: 'correct horse', name: 'Ada',
}
type Limited = AuthPaths['/signin/basic']['post']['responses'][429]['content']['application/json']
export const messageOf = ({ message }: Limited): string => message
`

test('openapi-typescript writes types that tsc takes, and that a program can use', { skip }, async () => {
  for (const name of ['auth', 'blog'])
    await run('openapi-typescript/bin/cli.js', `${name}.json`, '--output', `${name}.d.ts`)
  await writeFile(join(folder, 'program.ts'), PROGRAM)
  const strict = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--noUncheckedIndexedAccess', '--types', '']
  const args = [TSC, ...strict, '--module', 'preserve', '--allowImportingTsExtensions', 'program.ts']
  await promisify(execFile)(process.execPath, args, { cwd: folder }).catch(error => assert.fail(error.stdout))
})
