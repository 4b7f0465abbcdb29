/** What Node says when another program cannot be reached, or stops in the middle (errno names of libuv). */
const CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT', // a socket file whose server is gone
])

/** Node's codes for certificates (X509_V_ERR_… of OpenSSL), and for keys and handshakes that do not fit. */
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|CRL_)/

/** True when one side of a connection does not take what the other shows: waiting changes nothing about that. */
export function isTlsRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && TLS_CODE.test(error.code)
}

/** True for an error of a socket or a name look-up. Drivers let some of these through as they are. */
export function isNetworkError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && CODES.has(error.code)
}
