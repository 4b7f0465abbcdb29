export { pageTexts } from './page-files.ts'
export { runExplorer } from './run.ts'
export type { Explorer } from './server.ts'
