import { patiently, untilAvailable } from '../../../support/patiently.ts'
import type { Person } from '../../../support/people.ts'
import { until } from '../../../support/until.ts'
import type { Version } from './history.ts'
import type { Random } from './random.ts'
import { pathsTo } from './reads.ts'
import { type RacedBlog, type RaceSetup, TAGS, WORD, type Writer } from './setup.ts'

/** Ways to change what is public of a blog. The last request of each makes the change visible. */
const WAYS = ['title', 'slug', 'text', 'unpublish'] as const

/** Publishes one random change at random replicas. Everybody must see it when this resolves. */
export async function changeOnce(setup: RaceSetup, { _id, writer, history }: RacedBlog, random: Random): Promise<void> {
  const { latest } = history
  const number = history.begun + 1
  const put = async ({ accessToken: token }: Person, path: string, json?: unknown) => {
    const route = `PUT ${path}`
    // All of them may be repeated.
    const reply = await patiently(() => random.pick(setup.doors).send({ route, token, json }))
    const { status, body } = reply
    if (status !== 200) throw new Error(`${route} was answered ${status} ${JSON.stringify(body)}`)
    return body?.data as { readonly revision: number }
  }
  const change = (next: Partial<Version>, write: () => Promise<unknown>) =>
    history.change({ ...latest, ...next }, write)
  const publish = async (next: Partial<Version>, fields: object) => {
    await put(writer.person, '/author', { _id, ...fields })
    const { revision } = await put(writer.person, `/author/submit/id/${_id}`)
    await change(next, () => put(setup.editor, `/editor/publish/id/${_id}?revision=${revision}`))
  }
  const way = latest.published ? random.pick(WAYS) : 'text'
  if (way === 'title') {
    const [title, tag] = [`${WORD} ${number}`, TAGS[number % 2] ?? TAGS[0]]
    await publish({ title, tag }, { title, tags: [tag] })
  } else if (way === 'slug') {
    const slug = `${latest.slug.replace(/-v\d+$/, '')}-v${number}`
    await publish({ slug }, { slug })
  } else if (way === 'unpublish') {
    await change({ published: false }, () => put(setup.editor, `/editor/unpublish/id/${_id}`))
  } else {
    const text = `text ${number}`
    await publish({ text, published: true }, { draftText: text })
  }
}

/**
 * Changes an author's name, and waits until every cached read of their anchor shows it at every replica: a stale one would stay for the
 * length of the test, and end it here.
 *
 * This cannot be judged read by read, as other changes are. A name travels by an event, and the answer that counts is its handler's, which
 * nobody here gets. Between the handler's write and its invalidation a blog that is not cached shows the new name, and a cached one still the
 * old name: an instance that has lost its lease reads from the database, and what others read there before is in memory, or in Redis.
 */
export async function renameOnce({ doors }: RaceSetup, writer: Writer, going: () => boolean): Promise<void> {
  const { person, names, anchor } = writer
  const name = `${person.name} ${names.begun + 1}`
  await names.change(name, () => untilAvailable(() => person.profile.changeMyProfile({ name })))
  let stored = false
  await until(`${name} to be stored`, async () => {
    // Events may be lost.
    if (!going()) return true
    // What authors read of their own blogs is never cached.
    stored = (await untilAvailable(() => person.authoring.findOwn({ id: anchor._id }))).author.name === name
    return stored
  })
  if (!stored) return
  for (const [door, path] of doors.flatMap(door => pathsTo(writer).map(path => [door, path] as const))) {
    await until(`${path} to show ${name}`, async () => {
      const { body } = await door.send({ route: `GET ${path}` })
      return (body?.data as { readonly author?: { readonly name: string } })?.author?.name === name
    })
  }
  writer.known++
}
