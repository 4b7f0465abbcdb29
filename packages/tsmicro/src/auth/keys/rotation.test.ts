import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createKeyFile } from './create-key-file.ts'
import { KeyDirectory } from './key-directory.ts'
import { formatPrivateKey, generateKeyPair, type KeyPair, publishedKey } from './key-pair.ts'
import { HeldKeys, type KeyPublication, signingKey } from './publications.ts'
import { ProblemReporter } from './rotating-key-ring.ts'

const [one, two, three] = await Promise.all([generateKeyPair(), generateKeyPair(), generateKeyPair()])

async function temporary(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keys-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const write = (directory: string, name: string, pem: string, mode = 0o600) =>
  writeFile(join(directory, name), pem, { mode })

const kids = (keys: readonly KeyPair[]) => keys.map(({ kid }) => kid)

test('a directory is read again each time: added, removed, replaced', async t => {
  const path = await temporary(t)
  const directory = new KeyDirectory(path)
  assert.deepEqual((await directory.scan()).keys, [])
  await write(path, '10.pem', formatPrivateKey(two))
  await write(path, '9.pem', formatPrivateKey(one))
  await write(path, '11-copy.pem', formatPrivateKey(one))
  await write(path, 'readme.txt', 'ignored')
  const first = await directory.scan()
  assert.deepEqual(kids(first.keys), [one.kid, two.kid])
  assert.equal(first.files.get(one.kid), join(path, '9.pem'))
  assert.equal((await directory.scan()).keys[0], first.keys[0], 'the same bytes are the same object')
  await rm(join(path, '11-copy.pem'))
  await write(path, '9.pem', formatPrivateKey(three))
  assert.deepEqual(kids((await directory.scan()).keys), [three.kid, two.kid])
  await rm(path, { recursive: true })
  assert.deepEqual((await directory.scan()).keys, [])
  await writeFile(path, 'a file where the directory was')
  await assert.rejects(directory.scan(), { code: 'ENOTDIR' })
})

test('keys behind the symbolic links of a mounted Kubernetes secret change with one rename', async t => {
  const path = await temporary(t)
  for (const [version, pair] of [
    ['..1', one],
    ['..2', two],
  ] as const) {
    await mkdir(join(path, version))
    await write(join(path, version), 'signing.pem', formatPrivateKey(pair), 0o440)
  }
  await symlink('..1', join(path, '..data'))
  await symlink('..data/signing.pem', join(path, 'signing.pem'))
  const directory = new KeyDirectory(path)
  assert.deepEqual(kids((await directory.scan()).keys), [one.kid])
  await symlink('..2', join(path, '..new'))
  await rename(join(path, '..new'), join(path, '..data'))
  assert.deepEqual(kids((await directory.scan()).keys), [two.kid])
})

test('each unusable key file is reported in one line that quotes nothing of it', async t => {
  const path = await temporary(t)
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'pem', type: 'pkcs8' })
  await write(path, 'broken.pem', 's3cret')
  await write(path, 'half.pem', formatPrivateKey(one).slice(0, 700))
  await write(path, 'huge.pem', 's3cret'.repeat(20_000))
  await write(path, 'open.pem', formatPrivateKey(one))
  await chmod(join(path, 'open.pem'), 0o644)
  await write(path, 'weak.pem', weak.toString())
  await mkdir(join(path, 'folder.pem'))
  await write(path, 'good.pem', formatPrivateKey(two))
  const { keys, problems } = await new KeyDirectory(path).scan()
  assert.deepEqual(kids(keys), [two.kid])
  const names = ['broken', 'folder', 'half', 'huge', 'open', 'weak']
  assert.deepEqual(
    [...problems.keys()].sort(),
    names.map(name => join(path, `${name}.pem`)),
  )
  for (const problem of problems.values()) assert.doesNotMatch(problem, /\n|s3cret|MII|BEGIN/)
  assert.match(problems.get(join(path, 'open.pem')) ?? '', /others may read or write it \(mode 644\): chmod 600/)
  assert.match(problems.get(join(path, 'weak.pem')) ?? '', /at least 2048 bits, not 1024/)
})

test('new key files get the next number and mode 600, and replace nothing, even when many are made at the same time', async t => {
  const path = join(await temporary(t), 'keys')
  const first = await createKeyFile(path)
  assert.equal(first.file, join(path, '0001.pem'))
  const before = await readFile(first.file, 'utf8')
  await cp(first.file, join(path, '0041.pem'))
  const made = await Promise.all([createKeyFile(path), createKeyFile(path), createKeyFile(path)])
  assert.equal(await readFile(first.file, 'utf8'), before)
  assert.deepEqual((await readdir(path)).sort(), ['0001.pem', '0041.pem', '0042.pem', '0043.pem', '0044.pem'])
  for (const { file } of made) assert.equal((await stat(file)).mode & 0o777, 0o600)
  const { files } = await new KeyDirectory(path).scan()
  for (const { file, kid } of made) assert.equal(files.get(kid), file)
})

const publication = (pair: KeyPair, signsFrom: number, withdrawn = false): KeyPublication => ({
  key: publishedKey(pair),
  signsFrom,
  withdrawn,
})
const byKid = (...pairs: KeyPair[]) => new Map(pairs.map(pair => [pair.kid, pair]))

test('the newest key that may sign does; before any may, the newest', () => {
  const all = [publication(three, 300), publication(two, 200), publication(one, 100)]
  const kidAt = (now: number, ...held: KeyPair[]) => signingKey(byKid(...held), all, now)?.kid
  assert.equal(kidAt(199, one, two, three), one.kid)
  assert.equal(kidAt(200, one, two, three), two.kid)
  assert.equal(kidAt(300, one, two, three), three.kid)
  assert.equal(kidAt(300, one), one.kid, 'a key that others have signs nothing here')
  assert.equal(kidAt(50, one, two), two.kid)
  assert.equal(kidAt(300), undefined)
  const withdrawn = [publication(three, 300), publication(two, 200, true)]
  assert.equal(signingKey(byKid(two, three), withdrawn, 250)?.kid, three.kid)
  assert.equal(signingKey(byKid(two), withdrawn, 250), undefined)
  assert.equal(signingKey(byKid(one), withdrawn, 250), undefined, 'an unpublished key signs nothing')
})

test('a key whose file is gone no longer signs, unless no other key may', () => {
  const record = { now: 0, publications: [publication(two, 200), publication(one, 100)] }
  const held = new HeldKeys([one, two])
  assert.deepEqual(held.after([two], one.kid, record, 250).keys, [two])
  const early = held.after([two], one.kid, record, 150)
  assert.deepEqual(kids(early.keys), [one.kid, two.kid])
  assert.equal(early.problems('d').length, 1)
  assert.deepEqual(kids(early.after([two], one.kid, record, 151).keys), [one.kid, two.kid])
  assert.deepEqual(early.after([two], one.kid, record, 200).keys, [two])
  const empty = held.after([], one.kid, record, 250)
  assert.deepEqual(empty.keys, held.keys)
  assert.match(empty.problems('/keys')[0] ?? '', /\/keys no longer holds a usable key/)
  const gone = { now: 0, publications: [publication(two, 200), publication(one, 100, true)] }
  assert.deepEqual(held.after([two], one.kid, gone, 150).keys, [two], 'withdrawn: not for a moment longer')
})

test('a problem is logged once, when it is seen twice, and again when it comes back', () => {
  const logged: string[] = []
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (_: object, text: string) => void logged.push(text),
    child: () => log,
  }
  const reporter = new ProblemReporter(log)
  reporter.report(new Set(['a']))
  assert.deepEqual(logged, [])
  for (let time = 0; time < 3; time++) reporter.report(new Set(['a', 'b']))
  assert.deepEqual(logged, ['a', 'b'])
  reporter.report(new Set())
  for (let time = 0; time < 3; time++) reporter.report(new Set(['a']))
  assert.deepEqual(logged, ['a', 'b', 'a'])
})
