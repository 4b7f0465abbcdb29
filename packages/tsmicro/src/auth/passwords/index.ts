export { createPasswordHasher, type PasswordHasher, type PasswordHasherOptions } from './hasher.ts'
export type { WorkOptions } from './waiting-line.ts'
