import { Blogs } from './blogs.ts'
import { Lists } from './lists.ts'
import type { Learned, UserState } from './state.ts'
import { type Caller, Users } from './users.ts'

/** The model: what the platform must answer now. */
export class World {
  /** Distinguishes this run's slugs from those of others. */
  readonly run: string
  readonly users: Users
  readonly blogs = new Blogs()
  readonly lists = new Lists(this.blogs)
  /** The revision that an editor read last, by the blog's id. */
  readonly read = new Map<string, number>()
  /** One blog by each user that stays published, and shows when a changed name has arrived. */
  readonly anchors = new Set<string>()

  constructor(run: string, users: readonly UserState[]) {
    this.run = run
    this.users = new Users(users)
  }
}

/** A request, and the model's answer to it. */
export interface Step {
  readonly service: 'auth' | 'blog'
  readonly caller: Caller
  /** Method and path below the service's prefix. */
  readonly route: string
  readonly json?: unknown
  /** Executes the request in the model. Returns the data of the answer, if any. @throws {Refusal} */
  readonly expected: (learned: Learned) => unknown
  /** Whether it changes a profile, which others learn about later. */
  readonly renames?: boolean
}

/** Chooses the next step based on the current state. */
export type Action = (world: World) => Step
