/**
 * A service in a separate process for the tests of `runService`. Answers `GET /work` after a moment; `GET /throw` throws where
 * nobody catches it. Arguments: port, and what to do at start (`hang`: a dependency that never comes).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createService, type Dependency, implement, runService } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const [port, mode] = process.argv.slice(2)
const work = contract('work', {
  work: procedure({ http: 'GET /work', access: 'key', output: Type.String() }),
  fail: procedure({ http: 'GET /throw', access: 'key' }),
  echo: procedure({ http: 'POST /echo', access: 'key', input: Type.String(), output: Type.String() }),
})

const handlers = [
  implement(work, {
    work: async () => {
      await sleep(30)
      return 'done'
    },
    fail: () => {
      setImmediate(() => {
        throw new Error('nobody catches me')
      })
    },
    echo: ({ input }) => input,
  }),
]

const never: Dependency = {
  name: 'database',
  connect: () => Promise.reject(new Error('refused')),
  check: async () => {},
  close: async () => {},
}
const log = createLogger({ name: 'work' })
const service = createService({
  name: 'work',
  version: '1.0.0',
  log,
  http: { port: Number(port) },
  module: {
    handlers,
    dependencies: mode === 'hang' ? [never] : [],
  },
})
await runService(service, { log })
