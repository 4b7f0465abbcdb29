import { after, before, test } from 'node:test'
import { type FaultScene, startFaultScene } from '../support/faults/scene.ts'
import { FROZEN, KILLED, survive } from '../support/faults/survive.ts'
import { onlyInFull } from '../support/size.ts'

// By hand the services' own tests do this: `services/blog/tests/faults.test.ts`.
let scene: FaultScene
before(async () => {
  if (!onlyInFull) scene = await startFaultScene()
})
after(() => scene?.[Symbol.asyncDispose]())

test(`nats: ${FROZEN.name}`, { skip: onlyInFull }, t => survive(t, scene, 'nats', FROZEN))
test(`nats: ${KILLED.name}`, { skip: onlyInFull }, t => survive(t, scene, 'nats', KILLED))
