/** nginx's large_client_header_buffers: four of 8 KiB, none of which a request line may exceed. */
export const MAX_URL_LENGTH = 8 * 1024
export const MAX_HEADER_BYTES = 4 * MAX_URL_LENGTH

/** A client that was answered before it sent everything may go on sending this long before it is cut off. */
export const LINGER_MS = 30_000

/** How long a client may pause inside its body, or stop reading: nginx's client_body_timeout and send_timeout. */
export const CLIENT_TIMEOUT_MS = 60_000

/** Kong's Lua reads no more than this many header fields: what stands behind them would escape its plugins. */
export const MAX_HEADER_FIELDS = 1000
