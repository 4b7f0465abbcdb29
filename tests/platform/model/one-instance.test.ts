import { after, before, test } from 'node:test'
import { type Platform, startPlatform } from '../../support/platform.ts'
import { COMMANDS, checkSequence } from './check-sequence.ts'
import { FIXED, seeds } from './seed.ts'
import { openTarget, type Target } from './target.ts'

let platform: Platform
let target: Target
before(async () => {
  // The model takes roles away, and expects that at once.
  const env = { CACHE_TTL_SECONDS: '3600', LOG_LEVEL: 'warn', AUTH_LEASE_MS: '0' }
  platform = await startPlatform({ patient: true, env })
  target = await openTarget(platform)
})
after(async () => {
  target?.[Symbol.dispose]()
  await platform?.[Symbol.asyncDispose]()
})

for (const seed of seeds) {
  test(`every answer in a random sequence of ${COMMANDS} actions is the model's, through the gateway (${seed === FIXED ? 'a fixed' : 'a new'} seed)`, t =>
    checkSequence(t, target, seed))
}
