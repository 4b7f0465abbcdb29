import type { Person } from '../../../support/people.ts'
import { draft, handInAndPublish } from '../../../support/people.ts'
import type { Door } from '../door.ts'
import { History, type Version } from './history.ts'

/** An author who changes their name. */
export interface Writer {
  readonly person: Person
  readonly names: History<string>
  /** How many names every cached read of the anchor has shown at every replica. */
  known: number
  /** A published blog that never changes: nothing but a new name of its author drops what is cached of it. */
  readonly anchor: { readonly _id: string; readonly slug: string }
}

/** A blog that is read while it changes. */
export interface RacedBlog {
  readonly _id: string
  readonly writer: Writer
  readonly history: History<Version>
}

export interface RaceSetup {
  readonly doors: readonly Door[]
  readonly editor: Person
  readonly writers: readonly Writer[]
  readonly blogs: readonly RacedBlog[]
}

export const TAGS = ['EVEN', 'ODD'] as const
/** Part of every title, so that all blogs are similar. */
export const WORD = 'racing'

/** Publishes for each author an anchor and some blogs to race with. */
export async function prepareRace(
  doors: readonly Door[],
  people: readonly Person[],
  editor: Person,
  blogsEach: number,
) {
  const writers: Writer[] = []
  const blogs: RacedBlog[] = []
  for (const person of people) {
    const anchor = await publish(person, editor, `anchor-${person.id}`, 'ANCHOR')
    const writer = { person, names: new History(person.name), known: 0, anchor }
    writers.push(writer)
    for (let index = 0; index < blogsEach; index++) {
      const { _id, title, text, slug } = await publish(person, editor, `blog-${index}-${person.id}`, TAGS[0])
      blogs.push({ _id, writer, history: new History({ published: true, title, text, slug, tag: TAGS[0] }) })
    }
  }
  return { doors, editor, writers, blogs } satisfies RaceSetup
}

async function publish(author: Person, editor: Person, slug: string, tag: string) {
  const { _id } = await author.authoring.create({ ...draft(slug), title: `${WORD} 0`, tags: [tag] })
  const { text = '', ...blog } = await handInAndPublish(author, editor, _id)
  return { ...blog, text }
}
