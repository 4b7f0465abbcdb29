import { Refusal } from './refusal.ts'
import type { BlogState, Content, Learned, UserState } from './state.ts'

/** A change of content; the slug normalised, `undefined` where what was sent can't be one. */
export type Change = Partial<Omit<Content, 'slug'>> & { readonly slug?: string | undefined }

/** Every blog that was ever made, and the rules of changing one. */
export class Blogs {
  readonly #blogs = new Map<string, BlogState>()

  /** Deleted ones, too. */
  get all(): readonly BlogState[] {
    return [...this.#blogs.values()]
  }

  get(id: string): BlogState | undefined {
    return this.#blogs.get(id)
  }

  create(author: UserState, content: Change & Omit<Content, 'slug'>, learned: Learned): BlogState {
    const slug = this.#freeSlug(checkedSlug(content), undefined)
    const { _id, at } = learned
    const flags = { submitted: false, drafted: true, published: false, deleted: false }
    const blog: BlogState = { ...content, slug, ...flags, _id, author, createdAt: at, updatedAt: at }
    this.#blogs.set(_id, blog)
    return blog
  }

  /** Takes back what was handed in; the public text stays, all else counts at once. */
  change(id: string, author: UserState, change: Change, learned: Learned): BlogState {
    const slug = 'slug' in change ? checkedSlug(change) : undefined
    const blog = this.own(id, author)
    if (slug !== undefined) this.#freeSlug(slug, blog)
    const rest = slug === undefined ? {} : { slug }
    return Object.assign(blog, { ...change, ...rest, submitted: false, drafted: true, updatedAt: learned.at })
  }

  submit(id: string, author: UserState, learned: Learned): BlogState {
    return Object.assign(this.own(id, author), { submitted: true, drafted: false, updatedAt: learned.at })
  }

  /** Does nothing to what was not handed in: it stays unchanged, also in time. */
  withdraw(id: string, author: UserState, learned: Learned): BlogState {
    const blog = this.own(id, author)
    return blog.submitted ? Object.assign(blog, { submitted: false, drafted: true, updatedAt: learned.at }) : blog
  }

  remove(id: string, author: UserState): void {
    this.own(id, author).deleted = true
  }

  publish(id: string, learned: Learned): BlogState {
    const blog = this.existing(id)
    if (!blog.submitted) throw new Refusal('BLOG_NOT_SUBMITTED')
    const { at } = learned
    const flags = { submitted: false, drafted: false, published: true }
    return Object.assign(blog, flags, { text: blog.draftText, publishedAt: blog.publishedAt ?? at, updatedAt: at })
  }

  /** What was handed in meanwhile stays so. */
  unpublish(id: string, learned: Learned): BlogState {
    const blog = this.existing(id)
    if (!blog.published) throw new Refusal('BLOG_NOT_PUBLISHED')
    return Object.assign(blog, { published: false, drafted: !blog.submitted, updatedAt: learned.at })
  }

  /** An editor sees what was handed in or is public. */
  reviewed(id: string): BlogState {
    const blog = this.existing(id)
    if (!blog.submitted && !blog.published) throw new Refusal('BLOG_NOT_FOUND')
    return blog
  }

  public(blog: BlogState | undefined): BlogState {
    if (!blog || blog.deleted || !blog.published) throw new Refusal('BLOG_NOT_FOUND')
    return blog
  }

  own(id: string, author: UserState): BlogState {
    const blog = this.existing(id)
    if (blog.author !== author) throw new Refusal('NOT_THE_OWNER')
    return blog
  }

  existing(id: string): BlogState {
    const blog = this.#blogs.get(id)
    if (!blog || blog.deleted) throw new Refusal('BLOG_NOT_FOUND')
    return blog
  }

  /** Deleted blogs keep theirs. */
  #freeSlug(slug: string, keeper: BlogState | undefined): string {
    if (this.all.some(blog => blog !== keeper && blog.slug === slug)) throw new Refusal('SLUG_TAKEN', { slug })
    return slug
  }
}

function checkedSlug({ slug }: Change): string {
  if (slug === undefined) throw new Refusal('SLUG_INVALID')
  return slug
}
