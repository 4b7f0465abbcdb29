import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { apiKeyAdministration, profile, session } from '@blog-platform/auth-contract'
import { authoring } from '@blog-platform/blog-contract'
import type { BoundProcedure } from 'tsmicro/contract'
import { type Difference, difference, dump } from '../support/databases.ts'
import { type Place, placesOf } from '../support/hostile/places.ts'
import { laySiege, type Siege } from '../support/hostile/siege.ts'
import { TRICKY_TEXTS } from '../support/hostile/texts.ts'
import { inParallel } from '../support/in-parallel.ts'
import { type Input, inputOf } from '../support/inputs.ts'
import { assertNoSecretsLogged, assertNothingInternal } from '../support/leaks.ts'
import { isUnavailable, patiently } from '../support/patiently.ts'
import { clientsOf } from '../support/people.ts'
import type { Answer } from '../support/send.ts'
import { inFull, share, sized } from '../support/size.ts'

let siege: Siege
let platform: Siege['platform']
let tap: Siege['tap']
let scene: Siege['scene']
let attack: Siege['attack']
before(async () => {
  siege = await laySiege()
  ;({ platform, tap, scene, attack } = siege)
})
after(() => siege?.[Symbol.asyncDispose]())

interface Written {
  readonly place: Place
  readonly text: string
  readonly answer: Answer
}

/** Sends every text that a procedure's contract allows in every field, one request each. */
async function writeAll(procedure: BoundProcedure, atATime = 8): Promise<readonly Written[]> {
  const places = placesOf(procedure, inputOf(procedure, scene)).filter(
    ({ part, kind }) => part === 'body' && kind === 'text',
  )
  const allowed = places.flatMap(place => TRICKY_TEXTS.filter(text => place.takes(text)).map(text => ({ place, text })))
  assert.ok(allowed.length > 20, `${procedure.name} takes texts`)
  return inParallel(share(allowed), atATime, async ({ place, text }) => {
    const answer = await sendText(procedure, text, () => {
      // A new input each time, so that unique fields are unique.
      const fresh = placesOf(procedure, inputOf(procedure, scene)).find(({ name }) => name === place.name) ?? place
      return fresh.put(text)
    })
    return { place, text, answer }
  })
}

/** How many requests were answered with "try again" on a busy machine. They may have taken effect nevertheless. */
let unavailable = 0

/** Sends a text, and repeats it with another input while the platform says that it is too busy. */
async function sendText(procedure: BoundProcedure, text: string, makeInput: () => Input): Promise<Answer> {
  return patiently(async () => {
    const wire = attack.wire(procedure, 'gateway', makeInput())
    const answer = await attack.send({ procedure, door: 'gateway', wire })
    assertNothingInternal(answer.text, platform, [JSON.stringify(text).slice(1, -1)])
    if (isUnavailable(answer)) unavailable++
    return answer
  })
}

/** Runs something and returns what it changed: the kinds and how many of each, or which ones. */
async function changes<T>(work: () => Promise<T>): Promise<readonly [T, Difference]> {
  const before = await dump(platform)
  unavailable = 0
  const result = await work()
  return [result, difference(before, await dump(platform))]
}

const countOf = (keys: readonly string[]) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(keys, key => key.split('/')[0] ?? '')).map(([kind, all]) => [kind, all?.length]),
  )

/** Checks what was added: one for each success, and more only if a request was answered with "try again". */
function assertAdded(added: readonly string[], answered: Readonly<Record<string, number>>): void {
  const found = countOf(added)
  assert.deepEqual(Object.keys(found).toSorted(), Object.keys(answered).toSorted())
  for (const [kind, count] of Object.entries(answered)) {
    const extra = (found[kind] ?? 0) - count
    assert.ok(extra >= 0 && extra <= unavailable, `${found[kind]} ${kind} for ${count} answers`)
  }
}

test('a new blog stores any text unchanged, and nothing else changes', async () => {
  const [written, { added, changed, removed }] = await changes(() => writeAll(authoring.create))
  const good = written.filter(({ answer }) => answer.status === 201)
  for (const { place, text, answer } of written) {
    // Slugs are normalized: what is left of some is too short, or belongs to another blog.
    if (place.name === 'slug') assert.ok([201, 400, 409].includes(answer.status), answer.text)
    else assert.equal(answer.status, 201, `${place.name} = ${text}: ${answer.text}`)
  }
  for (const { place, text, answer } of good) {
    const read = await scene.author.authoring.findOwn({ id: String(answer.data._id) })
    assert.deepEqual(read, answer.data)
    if (place.name !== 'slug') assert.deepEqual([read[place.name as 'title']].flat(), [text])
    assert.match(read.slug, /^[a-z0-9]+(-[a-z0-9]+)*$/)
  }
  assertAdded(added, { blogs: good.length })
  assert.deepEqual([changed, removed], [[], []])
  for (const { answer } of good) assert.ok(added.includes(`blogs/${answer.data._id}`))
})

test('a changed blog stores any text unchanged, and only that blog changes', async () => {
  const { blogs, author } = scene
  const [written, { added, changed, removed }] = await changes(() => writeAll(authoring.change, 1))
  for (const { place, text, answer } of written) {
    const { status, data } = answer
    // A valid id belongs to another blog, or to none.
    if (place.name === '_id') assert.ok([403, 404].includes(status), answer.text)
    else if (place.name === 'slug') assert.ok([200, 400, 409].includes(status), answer.text)
    else assert.deepEqual([status, [data[place.name]].flat()], [200, [text]])
  }
  const last = written.findLast(({ answer }) => answer.status === 200)
  assert.deepEqual(await author.authoring.findOwn({ id: blogs.draft }), last?.answer.data)
  assert.deepEqual([added, changed, removed], [[], [`blogs/${blogs.draft}`], []])
})

test('any text as a name is shown unchanged to everybody, and only that user changes', async () => {
  const { id } = scene.learner
  const [written, { added, changed, removed }] = await changes(() => writeAll(profile.changeMyProfile, 1))
  for (const { place, text, answer } of written) assert.deepEqual([answer.status, answer.data[place.name]], [200, text])
  const { name } = await clientsOf(platform).profile.publicProfile({ id })
  assert.equal(name, written.at(-1)?.answer.data.name)
  assert.deepEqual([changed.filter(key => !key.startsWith('authors/')), removed], [[`users/${id}`], []])
  assert.deepEqual(countOf(added.filter(key => key !== `authors/${id}`)), {})
})

test('an API key’s comment can be any text, and nothing else changes', async () => {
  const [written, { added, changed, removed }] = await changes(() => writeAll(apiKeyAdministration.createApiKey))
  for (const { place, text, answer } of written) {
    assert.equal(answer.status, 200, `${text}: ${answer.text}`)
    if (place.name === 'comment') assert.equal(answer.data.comment, text)
  }
  assertAdded(added, { api_keys: written.length })
  assert.deepEqual([changed, removed], [[], []])
})

/** Creates one account for each text, which all suitable fields contain, because hashing passwords is expensive. */
function signUpAll() {
  const fields = placesOf(session.signUp, inputOf(session.signUp, scene)).filter(({ part }) => part === 'body')
  const takenBy = (text: string) => fields.filter(field => field.takes(text)).length
  // By hand, the texts that are sent are used as name and as password.
  const texts = TRICKY_TEXTS.filter(text => takenBy(text) >= (inFull ? 1 : 2))
  return inParallel(share(texts), 4, async text => {
    const names = fields.filter(field => field.takes(text)).map(({ name }) => name)
    let body: Input['body']
    const answer = await sendText(session.signUp, text, () => {
      const input = inputOf(session.signUp, scene)
      body = { ...input.body, ...Object.fromEntries(names.map(name => [name, text])) }
      return { ...input, body }
    })
    return { text, names, email: String(body?.email), answer }
  })
}

test('an account can have any texts, and its password lets in its owner and nobody else', async () => {
  const [written, { added, changed, removed }] = await changes(signUpAll)
  const count = written.length
  for (const name of ['name', 'password'])
    assert.ok(written.filter(({ names }) => names.includes(name)).length >= sized(20), `a ${name} takes texts`)
  for (const { names, text, answer } of written) assert.equal(answer.status, 200, `${names} = ${text}: ${answer.text}`)
  assertAdded(
    added.filter(key => !key.startsWith('authors/')),
    { users: count, user_roles: count, sessions: count, sign_in_places: count },
  )
  assert.deepEqual([changed, removed], [[], []])
  await inParallel(written, 4, async ({ names, text, email, answer }) => {
    const account = answer.data.user as { id: string; name: string }
    if (names.includes('name')) assert.equal(account.name, text)
    if (!names.includes('password')) return
    const signIn = (password: string) => clientsOf(platform).session.signIn({ email, password })
    assert.equal((await signIn(text)).user.id, account.id)
    await assert.rejects(signIn(`${text}x`), { code: 'CREDENTIALS_INVALID' })
  })
  const passwords = written.filter(({ names }) => names.includes('password')).map(({ text }) => text)
  // Only texts that cannot appear in a log for another reason.
  assertNoSecretsLogged(platform, [...passwords.filter(text => text.length > 20), 'correct horse'])
})

test('no message contained a password hash', () => {
  assert.ok(tap.messages > 0)
  assert.deepEqual(tap.matching(/\$argon2|"password/), [])
})
