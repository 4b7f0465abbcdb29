import type { Person } from '../../../support/people.ts'
import { draft, handInAndPublish } from '../../../support/people.ts'
import type { Door } from '../door.ts'
import { History, type Version } from './history.ts'

/** An author who changes their name, and what they wrote. */
export interface Writer {
  readonly person: Person
  readonly names: History<string>
  /** Number of the last name that was seen at every replica: it travels by an event, but never back. */
  known: number
  /** Published and never changed: shows when a name has arrived. */
  readonly anchor: string
}

/** A blog that is read while it changes. */
export interface Racer {
  readonly _id: string
  readonly writer: Writer
  readonly history: History<Version>
}

export interface Course {
  readonly doors: readonly Door[]
  readonly editor: Person
  readonly writers: readonly Writer[]
  readonly racers: readonly Racer[]
}

export const TAGS = ['EVEN', 'ODD'] as const
/** In every title, so that all are similar. */
export const WORD = 'racing'

/** Publishes an anchor for each author, and so many blogs to race with. */
export async function lineUp(doors: readonly Door[], people: readonly Person[], editor: Person, blogsEach: number) {
  const writers: Writer[] = []
  const racers: Racer[] = []
  for (const person of people) {
    const anchor = await publish(person, editor, `anchor-${person.id}`, 'ANCHOR')
    const writer = { person, names: new History(person.name), known: 0, anchor: anchor._id }
    writers.push(writer)
    for (let index = 0; index < blogsEach; index++) {
      const { _id, title, text, slug } = await publish(person, editor, `racer-${index}-${person.id}`, TAGS[0])
      racers.push({ _id, writer, history: new History({ published: true, title, text, slug, tag: TAGS[0] }) })
    }
  }
  return { doors, editor, writers, racers } satisfies Course
}

async function publish(author: Person, editor: Person, slug: string, tag: string) {
  const { _id } = await author.authoring.create({ ...draft(slug), title: `${WORD} 0`, tags: [tag] })
  const { text = '', ...blog } = await handInAndPublish(author, editor, _id)
  return { ...blog, text }
}
