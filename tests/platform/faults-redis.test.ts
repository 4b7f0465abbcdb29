// CI alone: packages/tsmicro/tests/cache/redis-faults.test.ts kills the server by hand.
import { after, before, test } from 'node:test'
import { type FaultScene, startFaultScene } from '../support/faults/scene.ts'
import { FROZEN, KILLED, survive } from '../support/faults/survive.ts'
import { noRedis } from '../support/redis.ts'

const skip = noRedis

let scene: FaultScene | undefined
before(async () => {
  if (!skip) scene = await startFaultScene({ redis: true })
})
after(() => scene?.[Symbol.asyncDispose]())

for (const fault of [KILLED, FROZEN])
  test(`redis: ${fault.name}`, { skip }, async t => {
    if (scene) await survive(t, scene, 'redis', fault)
  })
