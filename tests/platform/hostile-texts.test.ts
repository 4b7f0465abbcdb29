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

/** Puts every text that a procedure's contract allows into every field, one request each. */
async function writeAll(procedure: BoundProcedure, atATime = 8): Promise<readonly Written[]> {
  const places = placesOf(procedure, inputOf(procedure, scene)).filter(
    ({ part, kind }) => part === 'body' && kind === 'text',
  )
  const allowed = places.flatMap(place => TRICKY_TEXTS.filter(text => place.takes(text)).map(text => ({ place, text })))
  assert.ok(allowed.length > 20, `${procedure.name} takes texts`)
  return inParallel(share(allowed), atATime, async ({ place, text }) => {
    // Made anew each time: what must be unique is.
    const fresh = placesOf(procedure, inputOf(procedure, scene)).find(({ name }) => name === place.name) ?? place
    const input = fresh.put(text)
    return { place, text, answer: await sendText(procedure, text, input) }
  })
}

async function sendText(procedure: BoundProcedure, text: string, input: Input): Promise<Answer> {
  const answer = await attack.send({ procedure, door: 'gateway', wire: attack.wire(procedure, 'gateway', input) })
  assertNothingInternal(answer.text, platform, [JSON.stringify(text).slice(1, -1)])
  return answer
}

/** Runs something and tells what it changed: kinds and how many of each, or which. */
async function changes<T>(work: () => Promise<T>): Promise<readonly [T, Difference]> {
  const before = await dump(platform)
  const result = await work()
  return [result, difference(before, await dump(platform))]
}

const countOf = (keys: readonly string[]) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(keys, key => key.split('/')[0] ?? '')).map(([kind, all]) => [kind, all?.length]),
  )

test('a new blog holds any text as it is, and nothing else changes', async () => {
  const [written, { added, changed, removed }] = await changes(() => writeAll(authoring.create))
  const good = written.filter(({ answer }) => answer.status === 200)
  for (const { place, text, answer } of written) {
    // A slug is normalised: what is left of some is too short, or another's.
    if (place.name === 'slug') assert.ok([200, 400, 409].includes(answer.status), answer.text)
    else assert.equal(answer.status, 200, `${place.name} = ${text}: ${answer.text}`)
  }
  for (const { place, text, answer } of good) {
    const read = await scene.author.authoring.findOwn({ id: String(answer.data._id) })
    assert.deepEqual(read, answer.data)
    if (place.name !== 'slug') assert.deepEqual([read[place.name as 'title']].flat(), [text])
    assert.match(read.slug, /^[a-z0-9]+(-[a-z0-9]+)*$/)
  }
  assert.deepEqual([countOf(added), changed, removed], [{ blogs: good.length }, [], []])
  assert.deepEqual(added.toSorted(), good.map(({ answer }) => `blogs/${answer.data._id}`).toSorted())
})

test('a changed blog holds any text as it is, and only that blog changes', async () => {
  const { blogs, author } = scene
  const [written, { added, changed, removed }] = await changes(() => writeAll(authoring.change, 1))
  for (const { place, text, answer } of written) {
    const { status, data } = answer
    // An id that fits is another blog's, or nobody's.
    if (place.name === '_id') assert.ok([403, 404].includes(status), answer.text)
    else if (place.name === 'slug') assert.ok([200, 400, 409].includes(status), answer.text)
    else assert.deepEqual([status, [data[place.name]].flat()], [200, [text]])
  }
  const last = written.findLast(({ answer }) => answer.status === 200)
  assert.deepEqual(await author.authoring.findOwn({ id: blogs.draft }), last?.answer.data)
  assert.deepEqual([added, changed, removed], [[], [`blogs/${blogs.draft}`], []])
})

test('a name of any text is shown as it is, to everybody, and only that user changes', async () => {
  const { id } = scene.learner
  const [written, { added, changed, removed }] = await changes(() => writeAll(profile.changeMyProfile, 1))
  for (const { place, text, answer } of written) assert.deepEqual([answer.status, answer.data[place.name]], [200, text])
  const { name } = await clientsOf(platform).profile.publicProfile({ id })
  assert.equal(name, written.at(-1)?.answer.data.name)
  assert.deepEqual([changed.filter(key => !key.startsWith('authors/')), removed], [[`users/${id}`], []])
  assert.deepEqual(countOf(added.filter(key => key !== `authors/${id}`)), {})
})

test('an API key’s comment is any text, and nothing else changes', async () => {
  const [written, { added, changed, removed }] = await changes(() => writeAll(apiKeyAdministration.createApiKey))
  for (const { place, text, answer } of written) {
    assert.equal(answer.status, 200, `${text}: ${answer.text}`)
    if (place.name === 'comment') assert.equal(answer.data.comment, text)
  }
  assert.deepEqual([countOf(added), changed, removed], [{ api_keys: written.length }, [], []])
})

/** An account for each text, which stands in all of its fields that take it: passwords are hard work on purpose. */
function signUpAll() {
  const fields = placesOf(session.signUp, inputOf(session.signUp, scene)).filter(({ part }) => part === 'body')
  const takenBy = (text: string) => fields.filter(field => field.takes(text)).length
  // Those that are sent by hand stand in name and password alike.
  const texts = TRICKY_TEXTS.filter(text => takenBy(text) >= (inFull ? 1 : 2))
  return inParallel(share(texts), 4, async text => {
    const input = inputOf(session.signUp, scene)
    const names = fields.filter(field => field.takes(text)).map(({ name }) => name)
    const body = { ...input.body, ...Object.fromEntries(names.map(name => [name, text])) }
    return { text, names, body, answer: await sendText(session.signUp, text, { ...input, body }) }
  })
}

test('an account is made of any texts, whose password lets its owner in and nobody else', async () => {
  const [written, { added, changed, removed }] = await changes(signUpAll)
  const count = written.length
  for (const name of ['name', 'password'])
    assert.ok(written.filter(({ names }) => names.includes(name)).length >= sized(20), `a ${name} takes texts`)
  for (const { names, text, answer } of written) assert.equal(answer.status, 200, `${names} = ${text}: ${answer.text}`)
  const stored = countOf(added.filter(key => !key.startsWith('authors/')))
  assert.deepEqual(
    [stored, changed, removed],
    [{ users: count, user_roles: count, sessions: count, sign_in_places: count }, [], []],
  )
  await inParallel(written, 4, async ({ names, text, body, answer }) => {
    const account = answer.data.user as { id: string; name: string }
    if (names.includes('name')) assert.equal(account.name, text)
    if (!names.includes('password')) return
    const signIn = (password: string) => clientsOf(platform).session.signIn({ email: String(body.email), password })
    assert.equal((await signIn(text)).user.id, account.id)
    await assert.rejects(signIn(`${text}x`), { code: 'CREDENTIALS_INVALID' })
  })
  const passwords = written.filter(({ names }) => names.includes('password')).map(({ text }) => text)
  // Those that are like nothing else a log may say.
  assertNoSecretsLogged(platform, [...passwords.filter(text => text.length > 20), 'correct horse'])
})

test('no message held a password hash', () => {
  assert.ok(tap.messages > 0)
  assert.deepEqual(tap.matching(/\$argon2|"password/), [])
})
