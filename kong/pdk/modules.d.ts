/** Lua modules that are part of Kong. */

/** @noResolution */
declare module 'cjson.safe' {
  export function encode(value: object): string

  interface Json {
    /** Returns nil if the text is not JSON. JSON's null is not nil. */
    decode(this: void, text: string): unknown
    decode_invalid_numbers(this: void, allowed: boolean): void
  }
  /** Has settings of its own. */
  function create(): Json

  export { create as new }
}

/** @noResolution */
declare module 'resty.http' {
  interface Answer {
    readonly status: number
    readonly body: string | undefined
  }
  interface Client {
    /** Milliseconds for connecting and for each write and read, not for the whole exchange. */
    set_timeout(milliseconds: number): void
    request_uri(
      url: string,
      options: {
        readonly method: string
        readonly headers: Readonly<Record<string, string | undefined>>
        readonly body: string
      },
    ): LuaMultiReturn<[Answer | undefined, string | undefined]>
  }
  function create(): Client

  export { create as new }
}

/** @noResolution */
declare module 'resty.openssl.digest' {
  interface Digest {
    final(text: string): LuaMultiReturn<[string | undefined, string | undefined]>
  }
  function create(algorithm: string): LuaMultiReturn<[Digest | undefined, string | undefined]>

  export { create as new }
}

/** @noResolution */
declare module 'resty.openssl.hmac' {
  interface Hmac {
    final(text: string): LuaMultiReturn<[string | undefined, string | undefined]>
  }
  function create(key: string, algorithm: string): LuaMultiReturn<[Hmac | undefined, string | undefined]>

  export { create as new }
}

/** @noResolution */
declare module 'resty.string' {
  export function to_hex(bytes: string): string
}
