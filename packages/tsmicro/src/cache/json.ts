/**
 * `string` for a type that survives the way through JSON; for one with a Date, Map, bigint or function in it a text that no
 * name fits, so that `store.cache<Dated>('x')` does not compile: its readers would get something else than was written.
 */
export type CacheName<T> = [T] extends [Jsonable<T>] ? string : 'this type does not survive JSON'

type Jsonable<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends Date | RegExp | bigint | symbol | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | ArrayBufferView
    ? never
    : T extends (...args: never) => unknown
      ? never
      : T extends object
        ? { [Member in keyof T]: Jsonable<T[Member]> }
        : never
