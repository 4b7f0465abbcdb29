import { isUnavailable } from '../../../support/patiently.ts'
import type { Door, Reply } from '../door.ts'
import type { Version, Window } from './history.ts'
import { type RacedBlog, type RaceSetup, TAGS, type Writer } from './setup.ts'

/** What a read shows of a blog. */
interface Shown {
  readonly _id: string
  readonly title: string
  readonly slug: string
  readonly tags: readonly string[]
  /** Not in lists. */
  readonly text?: string
  readonly author?: { readonly name: string }
}

/** A way to read, and which blogs it must contain. */
export interface Read {
  readonly path: string
  /** The blogs that it may contain. */
  readonly blogs: readonly RacedBlog[]
  readonly contains: (version: Version) => boolean
}

const published = ({ published }: Version) => published

/** Every way to read a blog from a cache. */
export function waysTo(blog: RacedBlog, { blogs, writers }: RaceSetup): readonly Read[] {
  const { _id, history } = blog
  const slugs = [history.version(history.answered), history.version(Math.max(0, history.answered - 1))].map(v => v.slug)
  const tag = TAGS[history.answered % 2] ?? TAGS[0]
  return [
    { path: `/id/${_id}`, blogs: [blog], contains: published },
    // Both have been public by now, and still lead to the blog.
    ...[...new Set(slugs)].map(slug => ({ path: `/slug/${slug}`, blogs: [blog], contains: published })),
    { path: '/list/latest?limit=50', blogs, contains: published },
    { path: `/list/tag/${tag}`, blogs, contains: seen => seen.published && seen.tag === tag },
    { path: `/list/similar/id/${writers[0]?.anchor._id}`, blogs, contains: published },
    ...pathsTo(blog.writer).map(path => ({ path, blogs: [], contains: published })),
  ]
}

/** Every way to read a writer's anchor. */
export function pathsTo({ anchor: { _id, slug } }: Writer): readonly string[] {
  return [`/id/${_id}`, `/slug/${slug}`]
}

export interface Outcome {
  /** Whether a change was in progress during the read. */
  readonly raced: boolean
  /** Whether the service answered that it is unavailable: on a very busy machine a deadline can pass by itself. */
  readonly refused?: boolean
  /** What the read wrongly showed; undefined if all is well. */
  readonly problem: string | undefined
}

/** Reads, and compares the result with what a read that starts now may show. */
export async function readOnce(door: Door, { path, blogs, contains }: Read): Promise<Outcome> {
  const before = blogs.map(({ history }) => history.answered)
  const reply = await door.send({ route: `GET ${path}` })
  if (isUnavailable(reply)) return { raced: false, refused: true, problem: undefined }
  const items = shownIn(reply)
  if (!items) return { raced: false, problem: `${path} answered ${reply.status} ${JSON.stringify(reply.body)}` }
  let raced = false
  for (const [index, blog] of blogs.entries()) {
    const { history, writer } = blog
    const window: Window = { from: before[index] ?? 0, to: history.begun }
    raced ||= window.from < window.to
    const seen = items.find(({ _id }) => _id === blog._id)
    const allowed = (version: Version) => (seen ? contains(version) && shows(seen, version) : !contains(version))
    if (!history.some(window, allowed)) return { raced, problem: told(path, blog, window, seen) }
    const name = seen?.author?.name
    // Which name it is depends on when the event was handled, which nobody here is told: see `renameOnce`.
    if (name !== undefined && !writer.names.some({ from: 0, to: writer.names.begun }, each => each === name))
      return { raced, problem: `${path} shows the author as ${name}, which was never their name` }
  }
  return { raced, problem: undefined }
}

function shownIn({ status, body }: Reply): readonly Shown[] | undefined {
  if (status === 404 && body?.error === 'BLOG_NOT_FOUND') return []
  return status === 200 ? [body?.data as Shown].flat() : undefined
}

function shows({ title, slug, tags, text }: Shown, version: Version): boolean {
  const sameText = text === undefined || text === version.text
  return title === version.title && slug === version.slug && tags.join() === version.tag && sameText
}

function told(path: string, { _id, history }: RacedBlog, { from, to }: Window, seen: Shown | undefined): string {
  const allowed = Array.from({ length: to - from + 1 }, (_, index) => JSON.stringify(history.version(from + index)))
  return `${path} shows of blog ${_id} ${JSON.stringify(seen) ?? 'nothing'}; allowed: version ${from} to ${to}: ${allowed.join(' or ')}`
}
