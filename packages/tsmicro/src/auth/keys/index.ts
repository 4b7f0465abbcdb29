export { createKeyFile } from './create.ts'
export { KeyDirectory, type KeyScan } from './directory.ts'
export type { PublishedKey, PublishedKeySet, RsaPublicJwk } from './jwk.ts'
export { formatPrivateKey, generateKeyPair, type KeyPair, minimumModulusBits, parseKeyPair } from './key-pair.ts'
export { createKeyRing, type KeyRing } from './key-ring.ts'
export { type KeyRingOptions, loadKeyRing } from './load.ts'
export {
  type KeyPublication,
  type KeyPublications,
  type PublicationRecord,
  signingKey,
} from './rotation/publications.ts'
export { RotatingKeyRing, type RotatingKeyRingOptions } from './rotation/ring.ts'
