import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import type { TestContext } from 'node:test'
import { person } from '../../../support/people.ts'
import { type PlatformOptions, startPlatform } from '../../../support/platform.ts'
import { Door } from '../door.ts'
import { race } from './race.ts'
import { prepareRace } from './setup.ts'

/** A stale entry that is not dropped would be visible for as long as the test runs. */
const env = { CACHE_TTL_SECONDS: '3600', LOG_LEVEL: 'warn' }

/** Asserts that no read that starts after a change was answered shows the state before it. */
export async function raceOnPlatform(t: TestContext, wanted: number, options: PlatformOptions): Promise<void> {
  await using platform = await startPlatform({ env, blogReplicas: 2, ...options })
  using resources = new DisposableStack()
  const key = { 'x-api-key': platform.apiKey }
  const doors = platform.blogs.map(({ url }) => resources.use(new Door(url, key)))
  const people = await Promise.all(['Ada', 'Bob'].map(name => person(platform, name, 'AUTHOR')))
  const editor = await person(platform, 'Edith', 'EDITOR')
  const setup = await prepareRace(doors, people, editor, 2)
  const seed = randomInt(2 ** 31)
  const { reads, raced, refused, changes, names, problems } = await race(setup, wanted, seed)
  t.diagnostic(
    `${reads} reads, ${raced} during a change, ${refused} refused; ${changes} changes and ${names} new names (seed ${seed})`,
  )
  assert.deepEqual(problems, [])
  assert.ok(refused * 10 < reads, `${refused} of ${reads} reads were refused`)
  const [most, some, few] = [wanted / 10, wanted / 100, wanted / 1000]
  assert.ok(raced > most && changes > some && names > few, 'there was a race')
}
