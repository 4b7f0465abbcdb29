import type { Options } from 'mingo/types'

/** An operator in mingo's form: the document, the unevaluated arguments, mingo's options. */
export type Override = (obj: unknown, expr: unknown, options: Options) => unknown
