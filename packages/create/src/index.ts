export { createProject, type ProjectOptions } from './create.ts'
export { CreateError } from './errors.ts'
