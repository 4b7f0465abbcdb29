import { after, before, test } from 'node:test'
import { type FaultScene, startFaultScene } from '../support/faults/scene.ts'
import { FROZEN, KILLED, survive } from '../support/faults/survive.ts'

let scene: FaultScene
before(async () => {
  scene = await startFaultScene()
})
after(() => scene?.[Symbol.asyncDispose]())

for (const fault of [KILLED, FROZEN]) test(`postgres: ${fault.name}`, t => survive(t, scene, 'postgres', fault))
