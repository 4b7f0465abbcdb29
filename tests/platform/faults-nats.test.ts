// CI alone: services/blog/tests/faults.test.ts kills the server by hand.
import { after, before, test } from 'node:test'
import { type FaultScene, startFaultScene } from '../support/faults/scene.ts'
import { FROZEN, KILLED, survive } from '../support/faults/survive.ts'

let scene: FaultScene
before(async () => {
  scene = await startFaultScene()
})
after(() => scene?.[Symbol.asyncDispose]())

test(`nats: ${FROZEN.name}`, t => survive(t, scene, 'nats', FROZEN))
test(`nats: ${KILLED.name}`, t => survive(t, scene, 'nats', KILLED))
