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

export const port: number = config.PORT
export const level: 'debug' | 'info' = config.LEVEL
export const key: string = config.KEY
export const hosts: readonly string[] = config.HOSTS
export const name: string | undefined = config.NAME

// @ts-expect-error an optional variable may be undefined
export const always: string = config.NAME
// @ts-expect-error no such variable
export const missing = config.MISSING
// @ts-expect-error the config is read-only
config.PORT = 2
// @ts-expect-error a number is no string
export const text: string = config.PORT
