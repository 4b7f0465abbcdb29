import { isDeepStrictEqual } from 'node:util'
import { until } from '../../support/until.ts'
import { compare } from './compare.ts'
import type { Door } from './door.ts'
import type { Stage } from './stage.ts'
import type { UserState } from './state.ts'
import { publicBlog } from './views.ts'
import type { Step, World } from './world.ts'

/** Performs steps one after the other, on the platform and in the model. */
export class Performance {
  readonly world: World
  readonly #stage: Stage
  /** What was done, a line each. */
  readonly trace: string[] = []
  #answers = 0

  constructor(stage: Stage, world: World) {
    this.#stage = stage
    this.world = world
  }

  /** How many answers were compared. */
  get answers(): number {
    return this.#answers
  }

  /** Performs what is worth no line when it goes well. */
  async quietly(steps: Iterable<Step>, door: number): Promise<void> {
    const lines = this.trace.length
    for (const step of steps) {
      await this.perform(step, door)
      this.trace.length = lines
    }
  }

  /**
   * @param door which of the service's addresses, counted round
   * @throws {AssertionError} when the answer is not the model's
   */
  async perform(step: Step, door: number): Promise<void> {
    const { service, caller, route, json } = step
    const doors = service === 'auth' ? [this.#stage.auth] : this.#stage.blog
    const number = door % doors.length
    const who = caller.user ? `${caller.user.name} [${caller.user.roles}]` : 'a stranger'
    const told = json === undefined ? '' : ` ${JSON.stringify(json).slice(0, 500)}`
    const from = Date.now()
    const reply = await (doors[number] as Door).send({ route, json, token: caller.token })
    const { status, body } = reply
    this.trace.push(`${who} → ${service}${number}: ${route}${told} → ${status} ${body?.error ?? ''}`)
    this.#answers++
    compare(step, reply, { from, to: Date.now() })
    if (step.renames && status === 200 && caller.user) await this.#heard(caller.user)
  }

  /** Waits until every reader sees an author's new name. It travels by an event; everything else must be there at once. */
  async #heard(author: UserState): Promise<void> {
    const blogs = this.world.blogs.all.filter(blog => blog.author === author && blog.published && !blog.deleted)
    for (const blog of blogs) {
      for (const path of [`/id/${blog._id}`, `/slug/${blog.public?.slug}`]) {
        for (const door of this.#stage.blog) {
          await until(`${path} to show ${author.name}`, async () => {
            const { body } = await door.send({ route: `GET ${path}` })
            return isDeepStrictEqual(body?.data, publicBlog(blog))
          })
        }
      }
    }
  }

  get doors(): readonly number[] {
    return [...this.#stage.blog.keys()]
  }
}
