// CI alone: services/auth/tests/database-down.test.ts kills the server by hand.
import { after, before, test } from 'node:test'
import { type FaultScene, startFaultScene } from '../support/faults/scene.ts'
import { FROZEN, KILLED, survive } from '../support/faults/survive.ts'

// By hand the services' own tests freeze and end PostgreSQL: `services/auth/tests/database-down.test.ts`.
let scene: FaultScene
before(async () => {
  scene = await startFaultScene()
})
after(() => scene?.[Symbol.asyncDispose]())

test(`postgres: ${FROZEN.name}`, t => survive(t, scene, 'postgres', FROZEN))
test(`postgres: ${KILLED.name}`, t => survive(t, scene, 'postgres', KILLED))
