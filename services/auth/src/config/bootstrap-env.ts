import { type Config, loadConfig, secret } from 'tsmicro/config'
import Type from 'typebox'
import { Env } from './env.ts'

/** The environment of the bootstrap program. */
export const BootstrapEnv = Type.Object({
  DATABASE_URL: Env.properties.DATABASE_URL,
  DATABASE_POOLER: Env.properties.DATABASE_POOLER,
  BOOTSTRAP_PASSWORD: Type.Optional(
    secret(
      Type.String({
        minLength: 12,
        maxLength: 100,
        description: 'Password of the first administrator; absent = one is made and printed',
      }),
    ),
  ),
})
export type BootstrapEnv = Config<typeof BootstrapEnv>

/** @throws {ConfigError} with every problem at once */
export function loadBootstrapEnv(env: NodeJS.ProcessEnv = process.env): BootstrapEnv {
  return loadConfig(BootstrapEnv, env)
}
