/** What the plugins use of Lua itself. */
declare function type(value: unknown): string
