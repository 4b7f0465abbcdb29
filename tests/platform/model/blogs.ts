import { isDeepStrictEqual } from 'node:util'
import { Refusal } from './refusal.ts'
import type { BlogState, Content, Learned, Revised, UserState } from './state.ts'

/** A change of content. The slug is normalized, or undefined if it is invalid. */
export type Change = Partial<Omit<Content, 'slug'>> & { readonly slug?: string | undefined }

/** Every blog that was ever created, and the rules for changing one. */
export class Blogs {
  readonly #blogs = new Map<string, BlogState>()

  /** Including deleted ones. */
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
    const draft = { ...content, slug, revision: 1 }
    const blog: BlogState = { draft, publicSlugs: new Set(), ...flags, _id, author, createdAt: at, updatedAt: at }
    this.#blogs.set(_id, blog)
    return blog
  }

  /** Withdraws a submission; nothing public changes. Different content is a new revision. */
  change(id: string, author: UserState, change: Change, learned: Learned): BlogState {
    const slug = 'slug' in change ? checkedSlug(change) : undefined
    const blog = this.own(id, author)
    if (slug !== undefined) this.#freeSlug(slug, blog)
    const next = { ...blog.draft, ...change, ...(slug === undefined ? {} : { slug }) } as Revised
    const revision = next.revision + (isDeepStrictEqual(next, blog.draft) ? 0 : 1)
    const draft = { ...next, revision }
    return Object.assign(blog, { draft, submitted: false, drafted: true, updatedAt: learned.at })
  }

  submit(id: string, author: UserState, learned: Learned): BlogState {
    return Object.assign(this.own(id, author), { submitted: true, drafted: false, updatedAt: learned.at })
  }

  /** Does nothing if it was not submitted: not even its times change. */
  withdraw(id: string, author: UserState, learned: Learned): BlogState {
    const blog = this.own(id, author)
    return blog.submitted ? Object.assign(blog, { submitted: false, drafted: true, updatedAt: learned.at }) : blog
  }

  /** If the author repeats it, it does nothing. */
  remove(id: string, author: UserState): void {
    const blog = this.get(id)
    if (!blog?.deleted || blog.author !== author) this.own(id, author).deleted = true
  }

  /** Only what the editor has read becomes public. Repeating it does nothing. */
  publish(id: string, revision: number, learned: Learned): BlogState {
    const blog = this.existing(id)
    const { draft, submitted, published } = blog
    if (!(submitted && draft.revision === revision)) {
      if (published && blog.public?.revision === revision) return blog
      if (draft.revision !== revision) throw new Refusal('REVISION_CONFLICT', { revision: draft.revision })
      throw new Refusal('BLOG_NOT_SUBMITTED')
    }
    const { at } = learned
    blog.publicSlugs.add(draft.slug)
    const flags = { submitted: false, drafted: false, published: true }
    return Object.assign(blog, flags, { public: draft, publishedAt: blog.publishedAt ?? at, updatedAt: at })
  }

  /** What was submitted in the meantime stays submitted. Repeating it does nothing. */
  unpublish(id: string, learned: Learned): BlogState {
    const blog = this.existing(id)
    if (!blog.public) throw new Refusal('BLOG_NOT_PUBLISHED')
    if (!blog.published) return blog
    return Object.assign(blog, { published: false, drafted: !blog.submitted, updatedAt: learned.at })
  }

  /** An editor sees what was submitted or is public. */
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

  /** Every slug that is or was public leads to one blog forever. */
  bySlug(slug: string | undefined): BlogState | undefined {
    return this.all.find(({ publicSlugs }) => publicSlugs.has(slug ?? ''))
  }

  /** Deleted blogs keep their slugs, and all blogs keep those that were public. */
  #freeSlug(slug: string, keeper: BlogState | undefined): string {
    const has = ({ draft, publicSlugs }: BlogState) => draft.slug === slug || publicSlugs.has(slug)
    if (this.all.some(blog => blog !== keeper && has(blog))) throw new Refusal('SLUG_TAKEN', { slug })
    return slug
  }
}

function checkedSlug({ slug }: Change): string {
  if (slug === undefined) throw new Refusal('SLUG_INVALID')
  return slug
}
