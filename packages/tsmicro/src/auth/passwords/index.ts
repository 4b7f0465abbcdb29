export { createPasswordHasher, type PasswordHasher } from './hasher.ts'
export type { WorkOptions } from './waiting-line.ts'
