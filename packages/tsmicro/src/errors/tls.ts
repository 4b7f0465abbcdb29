/** Node's codes for invalid certificates (X509_V_ERR_… of OpenSSL), and for mismatched keys and failed handshakes. */
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|CRL_)/

/** True if one side of a connection rejects the other's certificate or protocol. Waiting does not help. */
export function isTlsRefusal(error: unknown): boolean {
  return TLS_CODE.test(codeOf(error))
}

/** How the settings of a connection are called. */
interface Settings {
  /** The file of the authority whose certificates are accepted. */
  readonly authority: string
  /** The file of one's own certificate. */
  readonly certificate: string
  /** The file of its key; undefined if the key is in the same file. */
  readonly key?: string
}

/** The answer to our first message is not TLS. */
const PLAIN = /^ERR_SSL_(?:WRONG_VERSION_NUMBER|(?:TLS_)?PACKET_LENGTH_TOO_LONG)$/
const UNTRUSTED = /^(?:UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_UNTRUSTED|INVALID_CA)/

/** What to do about a refusal. */
export function tlsAdvice(error: unknown, { authority, certificate, key }: Settings): string {
  const code = codeOf(error)
  const own = key === undefined ? certificate : `${certificate} and ${key}`
  if (PLAIN.test(code))
    return 'the server has no TLS on this port, or does not begin with it: check the port and its TLS settings'
  if (code === 'CERT_HAS_EXPIRED') return "renew the server's certificate, if this machine's clock is right"
  if (code === 'CERT_NOT_YET_VALID') return "check this machine's clock, and the server's certificate"
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH')
    return 'use a host name that is in the certificate of the server, or give it one with this name'
  if (UNTRUSTED.test(code)) return `name the authority of the server's certificate in ${authority} of its URL`
  if (code.includes('KEY_VALUES_MISMATCH'))
    return key === undefined
      ? `certificate and key in ${own} of its URL do not belong together`
      : `${own} of its URL do not belong together`
  // Alerts are what the server thinks of us.
  if (code.includes('ALERT') && !code.includes('PROTOCOL_VERSION'))
    return `it wants a valid client certificate of an authority that it knows: check ${own} of its URL`
  return `check ${authority}${key === undefined ? ' and' : ','} ${own} of its URL`
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
