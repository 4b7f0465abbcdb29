import { createService, implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'
import { authentication, authorization } from './sign-in.ts'

const names = contract('names', {
  forget: procedure({
    http: 'DELETE /names/:name',
    access: 'user',
    input: Type.Object({ name: Type.String() }),
    output: Type.Object({ forgotten: Type.String() }),
  }),
})

const forgetting = implement(names, { forget: ({ input }) => ({ forgotten: input.name }) })

const log = createLogger({ name: 'names' })
const module = { handlers: [forgetting], authentication, authorization }
const http = { port: Number(process.env.PORT ?? 3000) }
await createService({ name: 'names', version: '1.0.0', module, log, http }).start()
