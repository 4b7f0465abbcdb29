/** The part of Kong's PDK (3.9) that the plugins use. Methods with `this: void` are called with a dot in Lua, all others with a colon. */
declare const kong: {
  readonly log: {
    err(this: void, ...parts: unknown[]): void
    warn(this: void, ...parts: unknown[]): void
  }
  readonly response: {
    /** Ends the request; nothing after it runs. */
    exit(this: void, status: number, body: object, headers?: Readonly<Record<string, string>>): never
  }
  readonly cache: {
    /**
     * Returns the cached value, or calls `load`, which returns the value, nil, and for how many seconds to keep it (0 for forever).
     * While one request loads, requests of all workers wait for it. If `load` fails, an expired value lives `resurrect_ttl` seconds
     * longer.
     */
    get<Args extends unknown[], T>(
      key: string,
      options: { readonly resurrect_ttl: number },
      load: (this: void, ...args: Args) => LuaMultiReturn<[T, undefined, number]>,
      ...args: Args
    ): LuaMultiReturn<[T | undefined, string | undefined]>
    /** Calls `load` although there is a value; requests that renew the same value at the same time share one call. */
    renew<Args extends unknown[], T>(
      key: string,
      options: object,
      load: (this: void, ...args: Args) => LuaMultiReturn<[T, undefined, number]>,
      ...args: Args
    ): LuaMultiReturn<[T | undefined, string | undefined]>
  }
}
