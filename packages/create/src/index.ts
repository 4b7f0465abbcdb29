export { createProject, type ProjectOptions } from './create.ts'
export { postgresServiceFiles } from './postgres-service-files.ts'
export { serviceFiles } from './service-files.ts'
export { CreateError } from './errors.ts'
