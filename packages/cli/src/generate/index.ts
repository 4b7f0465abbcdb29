/** For the generators of a system: see `generators` in `tsmicro.config.ts`. */
export { describeServices } from './describe.ts'
export { publicServices } from './files.ts'
export { withRoutes } from './kong/kong-file.ts'
export { type PublicService, publicProceduresOf, publicRoutesOf } from './kong/public-routes.ts'
export type { Generate, GeneratedFile, ServiceDescription } from './types.ts'
export { endOf, indented, mapIn, memberEdit, parseYaml, seqIn, withCheckedEdits } from './yaml-text.ts'
