export type { PublishedKey, PublishedKeySet, RsaPublicJwk } from './jwk.ts'
export { formatPrivateKey, generateKeyPair, type KeyPair, minimumModulusBits, parseKeyPair } from './key-pair.ts'
export { createKeyRing, type KeyRing } from './key-ring.ts'
export { type KeyRingOptions, loadKeyRing } from './load.ts'
