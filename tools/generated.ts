/** What `npx tsmicro generate` makes in this repository, beside the gateway's routes: see `generators` in tsmicro.config.ts. */
import type { Generate } from '@tsmicro/cli/generate'
import { deployFiles } from './compose/generate.ts'
import { httpApi } from './http-api.ts'
import { natsFiles } from './nats-config.ts'

/** @public it is read by its path */
export const generate: Generate = async ({ root, config, services, describe }) => {
  const described = await describe()
  const { config: natsConfig, permissions, streams, users } = natsFiles(described, services)
  return [
    { path: 'deploy/nats/nats.conf', text: natsConfig },
    { path: 'deploy/nats/permissions.json', text: permissions },
    { path: 'deploy/nats/streams.json', text: streams },
    { path: 'docs/http-api.md', text: httpApi(services) },
    ...deployFiles(root, { services: config.services, described, natsUsers: users }),
  ]
}
