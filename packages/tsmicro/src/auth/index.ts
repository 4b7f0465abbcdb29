export { type KeyRing } from './keys/index.ts'
