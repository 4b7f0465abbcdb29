/**
 * The reasons of status codes: `Not Found` for 404. Not by `import`, which would read all that `node:http` exports, and by that load
 * Node's own undici for its `WebSocket`.
 */
export const { STATUS_CODES } = process.getBuiltinModule('node:http')
