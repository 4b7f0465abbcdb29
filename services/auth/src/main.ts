import { runService, StartError } from 'tsmicro'
import { ConfigError } from 'tsmicro/config'
import { createLogger } from 'tsmicro/telemetry'
import { loadEnv } from './env.ts'
import { createAuthService } from './startup/module.ts'
import { assertSigningKey } from './startup/signing-keys.ts'

try {
  const env = loadEnv()
  const log = createLogger({ name: 'auth', level: env.LOG_LEVEL })
  await assertSigningKey(env)
  await runService(createAuthService(env, log), { log })
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StartError)) throw error
  console.error(`auth: ${error.message}`)
  process.exit(1)
}
