/** `docs/http-api.md`, a list of all endpoints of the platform, from the contracts: `npx tsmicro generate` writes it. */
import { type PublicService, publicProceduresOf } from '@tsmicro/cli/generate'
import type { BoundProcedure } from 'tsmicro/contract'
import { nameOfAccess, parseRoute, statusesOf } from 'tsmicro/internal'

const HEAD = `# HTTP interface

Generated from the contracts by \`npx tsmicro generate\`: change those instead of this page. Each service's \`/openapi.json\` contains the schemas of
bodies and answers. All requests go through the gateway, which requires the header \`x-api-key\` except where the access column says
\`open\`; \`user\`, roles and \`owner or …\` also require \`Authorization: Bearer <access token>\`. A higher role may do everything that a lower one may.

In addition to the errors listed, every endpoint may answer 400 \`VALIDATION_FAILED\` or \`MALFORMED_REQUEST\`, 413, 415, 500, 503 and 504, and
the gateway itself 401 and 403 for an API key, 404, 429, 502, 503 and 504. If a user is required, it may also answer 401 \`UNAUTHENTICATED\`; if a role
is required, or the owner, 403 \`FORBIDDEN\`. Each GET can be asked with HEAD, and each path with OPTIONS.

A success is \`{"code":"10000","status":200,"message":"…","data":…}\`. A failure is
\`{"code":"10001","status":…,"message":"…","error":"<NAME>","requestId":"…"}\`, with \`details\` or \`data\` if there are any.
`

const HEALTH = '| GET /PREFIX/health | open | The health of the service and its dependencies | |'

/** The page's text. */
export function httpApi(services: readonly PublicService[]): string {
  return [HEAD, ...services.map(section)].join('\n')
}

function section({ name, prefix, exported }: PublicService): string {
  const rows = publicProceduresOf(exported).map(procedure => row(procedure, prefix))
  const table = [
    '| endpoint | access | | errors |',
    '| --- | --- | --- | --- |',
    HEALTH.replace('/PREFIX', prefix),
    ...rows,
  ]
  return `## ${name.charAt(0).toUpperCase()}${name.slice(1)}\n\n${table.join('\n')}\n`
}

function row(procedure: BoundProcedure, prefix: string): string {
  const { http, access, summary = '', errors = {} } = procedure
  const { method, path } = parseRoute(http ?? '')
  const listed = Object.values(errors).map(error => `${error.status} \`${error.code}\``)
  return `| ${method} ${prefix}${path} | ${nameOfAccess(access)} | ${summary}${repliesOf(procedure)} | ${listed.join(', ')} |`
}

/** What the answer of success says beside 200 and its data. */
function repliesOf(procedure: BoundProcedure): string {
  const statuses = statusesOf(procedure).join(' or ')
  const { headers = {}, cookies = {} } = procedure
  const set = [
    ...Object.entries(headers).map(([name, what]) => `\`${name}\`: ${what}`),
    ...Object.entries(cookies).map(([name, what]) => `cookie \`${name}\`: ${what}`),
  ]
  if (statuses === '200' && set.length === 0) return ''
  return `; answers ${statuses}${set.length === 0 ? '' : ` with ${set.join(', ')}`}`
}
