import { after, before, test } from 'node:test'
import { type FaultScene, startFaultScene } from '../support/faults/scene.ts'
import { FROZEN, KILLED, survive } from '../support/faults/survive.ts'
import { onlyInFull } from '../support/size.ts'

// By hand the services' own tests freeze and end PostgreSQL: `services/auth/tests/database-down.test.ts`.
let scene: FaultScene
before(async () => {
  if (!onlyInFull) scene = await startFaultScene()
})
after(() => scene?.[Symbol.asyncDispose]())

test(`postgres: ${FROZEN.name}`, { skip: onlyInFull }, t => survive(t, scene, 'postgres', FROZEN))
test(`postgres: ${KILLED.name}`, { skip: onlyInFull }, t => survive(t, scene, 'postgres', KILLED))
