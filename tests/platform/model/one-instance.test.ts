import { after, before, test } from 'node:test'
import { type Platform, startPlatform } from '../../support/platform.ts'
import { rehearse, TURNS } from './rehearse.ts'
import { FIXED, seeds } from './seed.ts'
import { openStage, type Stage } from './stage.ts'

let platform: Platform
let stage: Stage
before(async () => {
  platform = await startPlatform({ env: { CACHE_TTL_SECONDS: '3600', LOG_LEVEL: 'warn' } })
  stage = await openStage(platform)
})
after(async () => {
  stage?.[Symbol.dispose]()
  await platform?.[Symbol.asyncDispose]()
})

for (const seed of seeds) {
  test(`every answer in a random sequence of ${TURNS} actions is the model's, through the gateway (${seed === FIXED ? 'a fixed' : 'a new'} seed)`, t =>
    rehearse(t, stage, seed))
}
