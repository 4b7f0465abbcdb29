import { fileURLToPath } from 'node:url'
import { startGateway } from '@tsmicro/gateway'
import { ROOT } from '../../install.ts'
import { PLAIN } from '../plain-door.ts'
import type { Subject } from '../subject.ts'

/** The platform's own `kong/kong.yml`: its routes, and for each request apikey-auth, strip-prefix and sign-request. */
export const subject: Subject = {
  open: async upstreamPort => {
    const upstream = `127.0.0.1:${upstreamPort}`
    const { port } = await startGateway({
      port: 0,
      config: fileURLToPath(new URL('kong/kong.yml', ROOT)),
      resolve: { 'auth:8001': upstream, 'blog:8002': upstream },
      env: { GATEWAY_SECRET: 'g'.repeat(64), VERIFY_SECRET: 'v'.repeat(64) },
    })
    const paths = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? '/blog/list/latest' : `/blog/id/${i}`))
    return { port, paths, postPath: '/blog/author', headers: PLAIN.headers }
  },
}
