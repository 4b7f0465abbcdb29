/** One value, or several in their order. */
type HeaderValue = string | string[]

/** The part of OpenResty's Lua API that the plugins use. */
declare const ngx: {
  /** The value of a config field that is not set. */
  readonly null: unknown
  readonly var: {
    readonly args: string | undefined
    readonly remote_addr: string
    /** The id in X-Kong-Request-Id. nginx's own `request_id` is another one. */
    readonly kong_request_id: string
    /** As sent, with its query. */
    readonly request_uri: string
    upstream_uri: string
    upstream_x_forwarded_prefix: string
  }
  readonly req: {
    /** Names are in lower case. The second value is `truncated` if there are more than `max` fields. */
    get_headers(this: void, max: number): LuaMultiReturn<[LuaTable<string, HeaderValue>, string | undefined]>
    get_method(this: void): string
    clear_header(this: void, name: string): void
    set_header(this: void, name: string, value: string): void
  }
  readonly thread: {
    spawn<Args extends unknown[], T>(this: void, work: (this: void, ...args: Args) => T, ...args: Args): LightThread<T>
    /** Waits for the first thread to end. Returns whether it succeeded, and its result or error. */
    wait<T>(this: void, ...threads: LightThread<T>[]): LuaMultiReturn<[true, T] | [false, unknown]>
    kill(this: void, thread: LightThread<unknown>): void
  }
  /** Waits without blocking the worker. */
  sleep(this: void, seconds: number): void
  /** Seconds since 1970, from the worker's cached clock, with milliseconds. */
  now(this: void): number
  /** The same time in whole seconds. */
  time(this: void): number
}

interface LightThread<T> {
  readonly result: T
}
