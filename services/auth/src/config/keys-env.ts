import { type Config, loadConfig } from 'tsmicro/config'
import Type from 'typebox'
import { Env } from './env.ts'

const { DATABASE_URL, DATABASE_POOLER, KEYS_DIR } = Env.properties
const AddEnv = Type.Object({ KEYS_DIR })
const ListEnv = Type.Object({ KEYS_DIR, DATABASE_URL, DATABASE_POOLER })
const WithdrawEnv = Type.Object({ DATABASE_URL, DATABASE_POOLER })

/** The environment of each command of the keys program. @throws {ConfigError} with every problem at once */
export const loadKeysEnv = {
  add: (env: NodeJS.ProcessEnv): Config<typeof AddEnv> => loadConfig(AddEnv, env),
  list: (env: NodeJS.ProcessEnv): Config<typeof ListEnv> => loadConfig(ListEnv, env),
  withdraw: (env: NodeJS.ProcessEnv): Config<typeof WithdrawEnv> => loadConfig(WithdrawEnv, env),
}
