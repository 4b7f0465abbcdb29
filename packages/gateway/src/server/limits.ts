/** nginx's large_client_header_buffers: four of 8 KiB, none of which a request line may exceed. */
export const MAX_URL_LENGTH = 8 * 1024
export const MAX_HEADER_BYTES = 4 * MAX_URL_LENGTH

/** Kong's Lua reads no more than this many header fields: what stands behind them would escape its plugins. */
export const MAX_HEADER_FIELDS = 1000
