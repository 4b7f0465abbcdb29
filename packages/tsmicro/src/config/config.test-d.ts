import Type from 'typebox'
import { loadConfig, secret } from './index.ts'

const config = loadConfig(
  Type.Object({
    PORT: Type.Integer({ default: 1 }),
    LEVEL: Type.Enum(['debug', 'info'], { default: 'info' }),
    KEY: secret(Type.String()),
    NAME: Type.Optional(secret(Type.String())),
    HOSTS: Type.Array(Type.String()),
  }),
)

config.PORT satisfies number
config.LEVEL satisfies 'debug' | 'info'
config.KEY satisfies string
config.HOSTS satisfies readonly string[]
config.NAME satisfies string | undefined

// @ts-expect-error an optional variable may be undefined
config.NAME satisfies string
// @ts-expect-error no such variable
config.MISSING
// @ts-expect-error the config is read-only
config.PORT = 2
// @ts-expect-error a number is not a string
config.PORT satisfies string
