import { loadConfig } from 'tsmicro/config'
import Type from 'typebox'

/** @public */
export const Env = Type.Object({ PORT: Type.Integer() })
/** @public */
export const env = loadConfig(Env, { PORT: '1' })
