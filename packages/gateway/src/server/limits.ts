/** nginx's large_client_header_buffers: four of 8 KiB. A request line or a header line has to fit into one of them. */
export const MAX_LINE_LENGTH = 8 * 1024
export const MAX_HEADER_BYTES = 4 * MAX_LINE_LENGTH

/** nginx's proxy_buffer_size, which the header fields of an answer have to fit into. */
export const MAX_ANSWER_HEADER_BYTES = 4 * 1024

/** How long a client that was answered early may go on sending before it is cut off. */
export const LINGER_MS = 30_000

/** How long a client may pause in the middle of its body, or stop reading: nginx's client_body_timeout and send_timeout. */
export const CLIENT_TIMEOUT_MS = 60_000

/** Kong's Lua reads at most this many header fields: its plugins would not see the ones after them. */
export const MAX_HEADER_FIELDS = 1000
