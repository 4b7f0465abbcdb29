/** The part of Lua itself that the plugins use. */
declare function type(value: unknown): string
