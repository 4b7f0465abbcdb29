import { type NatsTap, tapNats } from '../nats-tap.ts'
import { type Platform, startPlatform } from '../platform.ts'
import { type Scene, setScene } from '../scene.ts'
import { shared } from '../shared.ts'
import { Attack } from './attack.ts'

/** A platform with users and blogs, the messages between its services, and an attack on it. */
export interface Siege extends AsyncDisposable {
  readonly platform: Platform
  readonly tap: NatsTap
  readonly scene: Scene
  readonly attack: Attack
}

/** Of all test files in this process, which lay it one after the other. */
export const laySiege = shared(async (): Promise<Siege> => {
  await using started = new AsyncDisposableStack()
  const platform = started.use(await startPlatform({ patient: true }))
  const tap = started.use(await tapNats(platform))
  const scene = await setScene(platform)
  const attack = started.use(new Attack(platform, scene))
  const resources = started.move()
  return { platform, tap, scene, attack, [Symbol.asyncDispose]: () => resources.disposeAsync() }
})
