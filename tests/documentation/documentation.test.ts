// CI alone: packages/cli/tests/start.test.ts starts the platform by hand, and pages.test.ts compiles what pages show.
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freshCheckout } from './checkout.ts'
import { terminalEnvironment } from './environment.ts'
import { followPage } from './page.ts'

const noCurl = hasCurl() ? false : 'curl is not installed'
const env = terminalEnvironment({ GATEWAY_PORT: '0', NO_COLOR: '1' })
let checkout: Awaited<ReturnType<typeof freshCheckout>>

before(async () => {
  checkout = await freshCheckout()
})
after(() => checkout?.[Symbol.asyncDispose]())

// One after the other: the first installs what the others use, and leaves data that the second finds.
test('README.md does what it says', { skip: noCurl }, () =>
  followPage({
    page: 'README.md',
    directory: checkout.directory,
    env,
    ports: { 8000: 'gateway' },
    skip: ({ code }) => code.includes('npm test'),
  }),
)

test('docs/getting-started.md does what it says', { skip: noCurl }, () =>
  followPage({ page: 'docs/getting-started.md', directory: checkout.directory, env, ports: { 8000: 'gateway' } }),
)

test('docs/build-a-service.md does what it says', { skip: noCurl }, () =>
  followPage({ page: 'docs/build-a-service.md', directory: checkout.directory, env, ports: { 8003: 'hello' } }),
)

test('docs/tutorial.md does what it says', { skip: noCurl }, () =>
  followPage({ page: 'docs/tutorial.md', directory: checkout.directory, env, ports: { 8004: 'comments' } }),
)

test('docs/from-goserve.md does what it says', { skip: noCurl }, () =>
  followPage({
    page: 'docs/from-goserve.md',
    directory: checkout.directory,
    env,
    ports: {},
    skip: ({ language }) => ['go', 'yaml', 'txt'].includes(language),
  }),
)

test('docs/from-nestjs.md does what it says', { skip: noCurl }, () =>
  followPage({
    page: 'docs/from-nestjs.md',
    directory: checkout.directory,
    env,
    ports: {},
    skip: ({ language }) => language === 'typescript',
  }),
)

test('docs/answers.md does what it says', { skip: noCurl }, () =>
  followPage({ page: 'docs/answers.md', directory: checkout.directory, env, ports: { 8000: 'gateway' } }),
)

test('docs/testing.md does what it says', { skip: noCurl }, () =>
  followPage({ page: 'docs/testing.md', directory: checkout.directory, env, ports: {} }),
)

test('docs/streams.md does what it says', { skip: noCurl }, () =>
  followPage({
    page: 'docs/streams.md',
    directory: checkout.directory,
    env,
    ports: {},
    skip: ({ language }) => language === 'js',
  }),
)

test('docs/files.md does what it says', { skip: noCurl }, () =>
  followPage({ page: 'docs/files.md', directory: checkout.directory, env, ports: {} }),
)

test('docs/gateway.md does what it says', { skip: noCurl }, () =>
  followPage({ page: 'docs/gateway.md', directory: checkout.directory, env, ports: {} }),
)

test('docs/evolving-contracts.md does what it says', { skip: noCurl }, () =>
  followPage({ page: 'docs/evolving-contracts.md', directory: checkout.directory, env, ports: {} }),
)

test('the code of the pages compiles', { skip: noCurl }, async () => {
  const { directory } = checkout
  await writeFile(
    join(directory, 'tsconfig.pages.json'),
    '{ "extends": "./tsconfig.json", "include": ["hello", "office", "orders", "stock", "shop", "clock", "files", "comments", "goserve", "cats", "*.ts"] }',
  )
  execFileSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.pages.json'], { cwd: directory, env, stdio: 'inherit' })
})

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
