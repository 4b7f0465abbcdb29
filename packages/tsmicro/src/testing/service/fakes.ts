import type { Log } from '../../call/index.ts'
import { proceduresOf } from '../../contract/index.ts'
import { assemble, type Implementation } from '../../micro/index.ts'
import type { Loopback } from '../loopback/loopback.ts'
import type { Users } from './users.ts'

export interface FakesParts {
  readonly fakes: readonly Implementation[]
  /** The service under test; never a fake. */
  readonly tested: string
  readonly loopback: Loopback
  readonly users: Users
  readonly log: Log
}

/** Services that stand for those that the one under test calls. */
export interface Fakes {
  readonly names: readonly string[]
  start(): Promise<void>
  stop(): Promise<void>
}

/** @throws {TypeError} when one of them is the service under test */
export function createFakes({ fakes, tested, loopback, users, log }: FakesParts): Fakes {
  const byService = Map.groupBy(fakes, ({ contract }) => proceduresOf(contract)[0]?.service ?? '')
  if (byService.has(tested)) throw new TypeError(`fakes: ${tested} is the service under test`)
  const services = [...byService].map(([name, handlers]) =>
    assemble(
      { name, version: '0.0.0', log, module: { nats: loopback.client(name, { log }), handlers, ...users.providers } },
      { port: 'none', providersOf: own => own, onTaken() {} },
    ),
  )
  return {
    names: [...byService.keys()],
    async start() {
      for (const service of services) await service.start()
    },
    async stop() {
      await Promise.all(services.map(service => service.stop()))
    },
  }
}
