/**
 * Writes `docs/http-api.md`: every endpoint of the platform, made from the contracts. Run by `npm run docs:api`; a test
 * fails when the page is out of step.
 */
import { writeFileSync } from 'node:fs'
import * as auth from '@blog-platform/auth-contract'
import * as blog from '@blog-platform/blog-contract'
import type { BoundProcedure, Contract } from 'tsmicro/contract'
import { type Access, isRole, parseRoute, proceduresOf } from 'tsmicro/internal'

export const HTTP_API = new URL('../docs/http-api.md', import.meta.url)

const HEAD = `# HTTP interface

Made by \`npm run docs:api\` from the contracts: change those, not this page. Schemas of bodies and answers are in each service's
\`/openapi.json\`. Everything goes through the gateway, which asks for the header \`x-api-key\` except where the access column says
\`open\`; \`user\` and roles need \`Authorization: Bearer <access token>\` as well. A higher role may do what a lower one may.

Beside the errors named here, every endpoint may answer 400 \`VALIDATION_FAILED\` or \`MALFORMED_REQUEST\`, 413, 415, 500, 503 and 504;
where a user is needed 401 \`UNAUTHENTICATED\`, where a role is needed 403 \`FORBIDDEN\`.

Success is \`{"code":"10000","status":200,"message":"…","data":…}\`, failure
\`{"code":"10001","status":…,"message":"…","error":"<NAME>","requestId":"…"}\` with \`details\` or \`data\` where there are any.
`

const HEALTH = '| GET /PREFIX/health | open | How the service and what it depends on is | |'

/** The page's text. */
export function httpApi(): string {
  return [HEAD, section('Auth', '/auth', auth), section('Blog', '/blog', blog)].join('\n')
}

function section(title: string, prefix: string, exported: object): string {
  const rows = contractsIn(exported)
    .flatMap(proceduresOf)
    .filter(({ http, access }) => http && access !== 'internal')
    .map(procedure => row(procedure, prefix))
  const table = [
    '| endpoint | access | | errors |',
    '| --- | --- | --- | --- |',
    HEALTH.replace('/PREFIX', prefix),
    ...rows,
  ]
  return `## ${title}\n\n${table.join('\n')}\n`
}

function contractsIn(exported: object): Contract[] {
  const isMember = (value: unknown) =>
    typeof value === 'object' && value !== null && 'kind' in value && 'subject' in value
  const values: unknown[] = Object.values(exported)
  return values.filter((value): value is Contract => {
    return (
      typeof value === 'object' &&
      value !== null &&
      Object.keys(value).length > 0 &&
      Object.values(value).every(isMember)
    )
  })
}

function row({ http, access, summary = '', errors = {} }: BoundProcedure, prefix: string): string {
  const { method, path } = parseRoute(http ?? '')
  const listed = Object.values(errors).map(error => `${error.status} \`${error.code}\``)
  return `| ${method} ${prefix}${path} | ${accessText(access)} | ${summary} | ${listed.join(', ')} |`
}

function accessText(access: Access): string {
  return isRole(access) ? access.role : access
}

if (import.meta.main) writeFileSync(HTTP_API, httpApi())
