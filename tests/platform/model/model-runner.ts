import { isDeepStrictEqual } from 'node:util'
import { until } from '../../support/until.ts'
import { compare } from './compare.ts'
import type { Door } from './door.ts'
import type { UserState } from './state.ts'
import type { Target } from './target.ts'
import { publicBlog } from './views.ts'
import type { Step, World } from './world.ts'

/** Executes steps one by one, on the platform and in the model, and compares the answers. */
export class ModelRunner {
  readonly world: World
  readonly #target: Target
  /** What was done, one line each. */
  readonly trace: string[] = []
  #answers = 0

  constructor(target: Target, world: World) {
    this.#target = target
    this.world = world
  }

  /** How many answers have been compared. */
  get answers(): number {
    return this.#answers
  }

  /** Executes steps that leave no line in the trace if they succeed. */
  async executeUntraced(steps: Iterable<Step>, door: number): Promise<void> {
    const lines = this.trace.length
    for (const step of steps) {
      await this.execute(step, door)
      this.trace.length = lines
    }
  }

  /**
   * @param door which of the service's addresses gets the request, modulo their number
   * @throws {AssertionError} if the answer differs from the model's
   */
  async execute(step: Step, door: number): Promise<void> {
    const { service, caller, route, json } = step
    const doors = service === 'auth' ? [this.#target.auth] : this.#target.blog
    const number = door % doors.length
    const who = caller.user ? `${caller.user.name} [${caller.user.roles}]` : 'anonymous'
    const told = json === undefined ? '' : ` ${JSON.stringify(json).slice(0, 500)}`
    const from = Date.now()
    const reply = await (doors[number] as Door).send({ route, json, token: caller.token })
    const { status, body } = reply
    this.trace.push(`${who} → ${service}${number}: ${route}${told} → ${status} ${body?.error ?? ''}`)
    this.#answers++
    compare(step, reply, { from, to: Date.now() })
    if (step.renames && status === 200 && caller.user) await this.#heard(caller.user)
  }

  /** Waits until every reader sees an author's new name. It travels by an event; everything else must be visible at once. */
  async #heard(author: UserState): Promise<void> {
    const blogs = this.world.blogs.all.filter(blog => blog.author === author && blog.published && !blog.deleted)
    for (const blog of blogs) {
      for (const path of [`/id/${blog._id}`, `/slug/${blog.public?.slug}`]) {
        for (const door of this.#target.blog) {
          await until(`${path} to show ${author.name}`, async () => {
            const { body } = await door.send({ route: `GET ${path}` })
            return isDeepStrictEqual(body?.data, publicBlog(blog))
          })
        }
      }
    }
  }

  get doors(): readonly number[] {
    return [...this.#target.blog.keys()]
  }
}
