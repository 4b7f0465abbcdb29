import { after, before, test } from 'node:test'
import { type FaultScene, startFaultScene } from '../support/faults/scene.ts'
import { FROZEN, KILLED, survive } from '../support/faults/survive.ts'
import { noRedis } from '../support/redis.ts'
import { onlyInFull } from '../support/size.ts'

// The layer itself is also tested by hand: `packages/tsmicro/tests/cache/redis-faults.test.ts`.
const skip = noRedis || onlyInFull

let scene: FaultScene | undefined
before(async () => {
  if (!skip) scene = await startFaultScene({ redis: true })
})
after(() => scene?.[Symbol.asyncDispose]())

for (const fault of [KILLED, FROZEN])
  test(`redis: ${fault.name}`, { skip }, async t => {
    if (scene) await survive(t, scene, 'redis', fault)
  })
