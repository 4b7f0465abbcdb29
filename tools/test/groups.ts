import { matchesGlob } from 'node:path'
import type { TestFile } from './discover.ts'

/** Files that one process runs. */
export type Group = {
  /** The file's path, or what a group of them has in common. */
  readonly name: string
  readonly paths: readonly string[]
}

/**
 * Files that share a process by hand, as most of their time goes into its start: many small ones that start no process, leave its
 * environment and globals alone and have no hooks for each test.
 */
const TOGETHER: readonly { readonly files: string; readonly save?: string }[] = [
  // These share a platform as well.
  { files: 'tests/platform/{endpoints,gateway-edge,interop,story}' },
  { files: 'tests/platform/hostile-{fields,texts}' },
  { files: 'tests/platform/access-{matrix,nats}' },
  { files: 'packages/gateway/tests/*', save: '{admin-access,main,memory,slow-clients,strangers}' },
  { files: 'packages/tsmicro/src/!(mongo|postgres)/**', save: '{keys,retry,logger,passwords}' },
  { files: 'packages/tsmicro/src/{mongo,postgres}/**', save: '{alone,fault,pooler,tls}' },
  { files: 'packages/tsmicro/tests/http/*', save: '{fuzz,hostile-uploads,upload-property}' },
  { files: 'packages/tsmicro/tests/schemas/*', save: '{query,refused,rule}' },
  {
    files: 'packages/tsmicro/tests/{contract,micro,nats,resilience,streams,testing}/*',
    save: '{circuit-breaker,service,signals,stop}',
  },
  { files: 'packages/infra/tests/{answers,given,ports,users}*' },
  { files: 'packages/cli/tests/contracts/{bodies,doors,events,old}*' },
  { files: 'tools/{check/{docs,files,imports,lockfile,words},site/links}*' },
]

export const alone = ({ path }: TestFile): Group => ({ name: path, paths: [path] })

/** Puts files together that share a process. */
export function grouped(files: readonly TestFile[]): readonly Group[] {
  return [...Map.groupBy(files, ({ path }) => groupOf(path))].map(([name, members]) => ({
    name,
    paths: members.map(({ path }) => path),
  }))
}

function groupOf(path: string): string {
  const together = TOGETHER.find(
    ({ files, save }) =>
      matchesGlob(path, `${files}.test.ts`) && !(save !== undefined && matchesGlob(path, `**/${save}.test.ts`)),
  )
  return together?.files ?? path
}
