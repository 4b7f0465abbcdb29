import { Blogs } from './blogs.ts'
import { Lists } from './lists.ts'
import type { Learned, UserState } from './state.ts'
import { type Caller, Users } from './users.ts'

/** The model: what the platform must answer now. */
export class World {
  /** Tells this run's slugs from those of others. */
  readonly run: string
  readonly users: Users
  readonly blogs = new Blogs()
  readonly lists = new Lists(this.blogs)
  /** Revisions as an editor read them last, by the blog's id. */
  readonly read = new Map<string, number>()
  /** One published blog of everybody, which stays so: it shows when a change of name has come through. */
  readonly anchors = new Set<string>()

  constructor(run: string, users: readonly UserState[]) {
    this.run = run
    this.users = new Users(users)
  }
}

/** One request, and the model's answer to it. */
export interface Step {
  readonly service: 'auth' | 'blog'
  readonly caller: Caller
  /** Method and path below the service's prefix. */
  readonly route: string
  readonly json?: unknown
  /** Does in the model what the request does. Returns the data of the answer, or nothing. @throws {Refusal} */
  readonly expected: (learned: Learned) => unknown
  /** Somebody's profile changed: others hear of it later. */
  readonly renames?: boolean
}

/** What somebody does next, as the state of the world has it. */
export type Action = (world: World) => Step
