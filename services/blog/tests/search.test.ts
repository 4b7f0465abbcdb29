import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { User } from './support/auth-double.ts'
import { dataOf, idsOf, makeBlog, type Running, revise, startBlog } from './support/platform.ts'

let it: Running
let author: User
let editor: User

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

async function published(title: string, description: string): Promise<string> {
  return (await makeBlog(it.send, author, editor, { title, description }))._id
}

const query = (q: string, more = '') => it.send(`GET /search?q=${encodeURIComponent(q)}${more}`)
const search = async (q: string, more?: string) => idsOf(await query(q, more))
const similar = async (id: string) => idsOf(await it.send(`GET /list/similar/id/${id}`))

test('a search: best match first, then newest, in pages', async () => {
  const older = await published('Zebra tales', 'Stripes')
  const weak = await published('Stripes', 'About a zebra that nobody saw')
  const newer = await published('Zebra notes', 'Stripes')
  const best = await published('Zebra', 'Zebra')
  await published('Giraffes', 'Tall')
  await makeBlog(it.send, author, undefined, { title: 'Zebra draft', description: 'Not public' })
  const all = [best, newer, older, weak]
  assert.deepEqual(await search('zebra'), all)
  assert.deepEqual(await search('ZÉBRA'), all)
  assert.deepEqual(await search('zebra', '&limit=1'), [best])
  assert.deepEqual(await search('zebra', '&page=2&limit=2'), all.slice(2))
  assert.deepEqual(await search('zebra', '&page=3&limit=2'), [])
  assert.deepEqual(await search('zebra', '&page=1000&limit=1000'), [])
  assert.deepEqual(await search('zebr'), [])
  const [item] = dataOf(await query('zebra'))
  assert.deepEqual(Object.keys(item).sort(), ['_id', 'description', 'score', 'slug', 'tags', 'title'])
  assert.equal(item.score, 0.01)
})

test('one of the words is enough; signs have no meaning', async () => {
  const quokka = await published('Quokka smiling', 'Rottnest')
  const wombat = await published('Wombat digging', 'Burrow')
  for (const q of [
    'quokka wombat',
    'wombat quokka',
    'quokka -wombat',
    '"quokka wombat"',
    '-quokka -wombat',
    'quokka|wombat',
  ]) {
    assert.deepEqual((await search(q)).sort(), [quokka, wombat].sort(), q)
  }
  assert.deepEqual(await search('"quokka'), [quokka])
  assert.deepEqual(await search('quokka unheard-of'), [quokka])
  assert.deepEqual(await search('quokka’s'), [quokka])
})

test('text without words finds nothing, without an error', async () => {
  for (const q of [
    '?!',
    '-',
    '--',
    '"',
    '""',
    '"-"',
    '...',
    '$',
    '{}',
    ' ',
    '\\',
    '/.*/',
    '😀',
    '\u0301',
    'the',
    'the and of',
  ]) {
    assert.deepEqual(await search(q), [], JSON.stringify(q))
  }
})

test('hostile text is only text', async () => {
  const okapi = await published('Okapi', 'Forest')
  const hostile = [
    '{"$ne":null}',
    '{"$regex":".*"}',
    '$where',
    '[object Object]',
    '.*',
    '%',
    "' OR 1=1 --",
    '__proto__',
    'constructor',
  ]
  for (const q of hostile) assert.deepEqual(await search(q), [], q)
  for (const q of [
    'okapi {"$gt":""}',
    '$okapi',
    '(okapi)+',
    'ｏkapi okapi',
    '\u202eokapi',
    `okapi ${'x '.repeat(97)}`,
  ]) {
    assert.deepEqual(await search(q), [okapi], q)
  }
  assert.deepEqual(await search('😀'.repeat(100)), [])
  assert.deepEqual(await search('日本語'), [])
  const refused = ['', 'q=', `q=${'x'.repeat(201)}`, 'q=a%00b', 'q[$ne]=x', 'q[]=x', 'q=a&q=b', 'q=a&sort=b', 'Q=a']
  for (const each of [
    ...refused,
    'q=a&page=0',
    'q=a&limit=0',
    'q=a&limit=1001',
    'q=a&page=1.5',
    `q=a&cursor=${okapi}`,
  ]) {
    const { status, body } = await it.send(`GET /search?${each}`)
    assert.deepEqual([status, body.error], [400, 'VALIDATION_FAILED'], each)
  }
  assert.equal((await query('a', '&limit=1000')).status, 200)
})

test('similar blogs: six at most, the best match first, then newest, never the blog itself', async () => {
  const { send } = it
  const self = await published('Brewing coffee', 'Grinders')
  const ties = [await published('Coffee beans', 'Colombia'), await published('Coffee cups', 'Porcelain')]
  const weak = await published('Breakfast', 'Tea instead of coffee again')
  const best = await published('Coffee grinders', 'Brewing coffee')
  await makeBlog(send, author, undefined, { title: 'Coffee draft', description: 'Not public' })
  await published('Lemonade', 'Sour')
  assert.deepEqual(await similar(self), [best, ...ties.toReversed(), weak])
  assert.deepEqual(await similar(self), [best, ...ties.toReversed(), weak])
  ties.push(await published('Coffee spoons', 'Silver'))
  assert.deepEqual(await similar(self), [best, ...ties.toReversed(), weak])
  for (const title of ['Coffee pots', 'Coffee shops']) ties.push(await published(title, 'Things'))
  assert.deepEqual(await similar(self), [best, ...ties.toReversed()])
  ties.push(await published('Coffee tables', 'Wood'))
  assert.deepEqual(await similar(self), [best, ...ties.toReversed().slice(0, 5)])
})

test('signs in a title do not exclude words from similarity', async () => {
  const self = await published('Marmot -whistle "alpine meadow"', 'Climbing')
  const other = await published('Marmot whistle', 'Climbing')
  assert.deepEqual(await similar(self), [other])
  const wordless = await published('?!?', '...')
  assert.deepEqual(await similar(wordless), [])
})

test('similar blogs and searches reflect every change at once', async () => {
  const { send } = it
  const self = await published('Narwhal', 'Tusk')
  const other = await published('Narwhal songs', 'Deep')
  const seen = async () => [await similar(self), (await search('narwhal')).filter(id => id !== self)]
  assert.deepEqual(await seen(), [[other], [other]])
  await revise(send, author, editor, { _id: other, title: 'Beluga songs' })
  assert.deepEqual(await seen(), [[], []])
  await revise(send, author, editor, { _id: self, description: 'Like a beluga' })
  assert.deepEqual(await seen(), [[other], []])
  await revise(send, author, editor, { _id: other, title: 'Narwhal again' })
  dataOf(await send(`PUT /editor/unpublish/id/${other}`, { token: editor.token }))
  assert.deepEqual(await seen(), [[], []])
  const third = await published('Narwhal third', 'Deep')
  assert.deepEqual(await seen(), [[third], [third]])
  dataOf(await send(`DELETE /author/id/${third}`, { token: author.token }))
  assert.deepEqual(await seen(), [[], []])
  dataOf(await send(`DELETE /author/id/${self}`, { token: author.token }))
  const gone = await send(`GET /list/similar/id/${self}`)
  assert.deepEqual([gone.status, gone.body.error], [404, 'BLOG_NOT_FOUND'])
})

test('similar blogs exist only for published ones, by id', async () => {
  const draft = await makeBlog(it.send, author)
  for (const id of [draft._id, 'f'.repeat(24)]) {
    const { status, body } = await it.send(`GET /list/similar/id/${id}`)
    assert.deepEqual([status, body.error], [404, 'BLOG_NOT_FOUND'])
  }
  for (const path of ['x', '0', 'F'.repeat(24), '$ne', `${draft._id}?limit=3`, `${draft._id}?page=1`]) {
    const { status, body } = await it.send(`GET /list/similar/id/${path}`)
    assert.deepEqual([status, body.error], [400, 'VALIDATION_FAILED'], path)
  }
})
