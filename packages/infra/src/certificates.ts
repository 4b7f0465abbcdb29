import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A certificate and its key, as PEM. */
interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface Authority extends Certificate {
  /** Signs a certificate for names and addresses; the first is its common name. */
  issue(names: readonly string[], options?: { readonly expired?: boolean }): Certificate
}

/**
 * A certificate authority for tests, whose certificates are valid for a few years. It writes X.509 (RFC 5280) by hand, because Node can read
 * certificates but not create them.
 *
 * @example
 * const { cert, key } = makeAuthority('tests').issue(['localhost', '127.0.0.1'])
 */
export function makeAuthority(name: string): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const make = (subject: string, spki: KeyObject, extensions: Buffer, expired = false) =>
    pem('CERTIFICATE', certificate({ issuer: name, subject, spki, extensions, expired, signer: privateKey }))
  const isAuthority = extension('551d13', seq(Buffer.from('0101ff', 'hex')))
  return {
    cert: make(name, publicKey, isAuthority),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    issue(names, { expired = false } = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const alternatives = extension('551d11', seq(...names.map(alternative)))
      return {
        cert: make(names[0] ?? '', own.publicKey, alternatives, expired),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      }
    },
  }
}

interface Parts {
  readonly issuer: string
  readonly subject: string
  readonly spki: KeyObject
  readonly extensions: Buffer
  readonly expired: boolean
  readonly signer: KeyObject
}

function certificate({ issuer, subject, spki, extensions, expired, signer }: Parts): Buffer {
  const ecdsaWithSha256 = seq(oid('2a8648ce3d040302'))
  const year = new Date().getUTCFullYear() % 100
  const time = (y: number) => tlv(0x17, Buffer.from(`${String(y % 100).padStart(2, '0')}0101000000Z`))
  const body = seq(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    distinguishedName(issuer),
    seq(time(year - 2), time(expired ? year - 1 : year + 2)),
    distinguishedName(subject),
    spki.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, seq(extensions)),
  )
  return seq(body, ecdsaWithSha256, tlv(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, signer)])))
}

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

const seq = (...parts: Buffer[]) => tlv(0x30, Buffer.concat(parts))
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'))
const distinguishedName = (name: string) => seq(tlv(0x31, seq(oid('550403'), tlv(0x0c, Buffer.from(name)))))
const extension = (id: string, value: Buffer) => seq(oid(id), tlv(0x04, value))

function alternative(name: string): Buffer {
  const address = /^\d+\.\d+\.\d+\.\d+$/.test(name)
  return address ? tlv(0x87, Buffer.from(name.split('.').map(Number))) : tlv(0x82, Buffer.from(name))
}

function pem(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END ${label}-----\n`
}
