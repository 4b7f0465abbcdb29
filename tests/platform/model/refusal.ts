/** Failures by name, with the statuses that docs and contracts promise. */
const STATUS = {
  VALIDATION_FAILED: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  USER_NOT_FOUND: 404,
  LAST_ADMIN: 400,
  BLOG_NOT_FOUND: 404,
  NOT_THE_OWNER: 403,
  SLUG_TAKEN: 409,
  SLUG_INVALID: 400,
  BLOG_NOT_SUBMITTED: 400,
  BLOG_NOT_PUBLISHED: 400,
  REVISION_CONFLICT: 409,
  CURSOR_INVALID: 400,
} as const

export type RefusalName = keyof typeof STATUS

/** What the model throws if the platform must refuse. */
export class Refusal extends Error {
  override readonly name: RefusalName
  readonly status: number
  /** The failure's data, if any. */
  readonly data: unknown

  constructor(name: RefusalName, data?: unknown) {
    super(name)
    this.name = name
    this.status = STATUS[name]
    this.data = data
  }
}
