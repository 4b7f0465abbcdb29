export { whyNotName } from './names.ts'
export { postgresServiceFiles } from './postgres-service-files.ts'
export { serviceFiles } from './service-files.ts'
