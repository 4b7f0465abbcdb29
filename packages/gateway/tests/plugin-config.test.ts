import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../src/config/load.ts'
import { Vault } from '../src/config/vault.ts'
import { Revocations } from '../src/plugins/apikey-auth/revocations.ts'
import { buildTable } from '../src/proxy/table.ts'
import { silentLog } from '../src/server/log.ts'

/** A plugin's config in YAML, from line 4 on, and the fault in it. */
const refused: [string, string, RegExp][] = [
  ['correlation-id', '{header_name: "a b"}', /:4 .*config\.header_name: is not a header name/],
  ['correlation-id', '{generator: snowflake}', /:4 .*config\.generator: must be one of uuid, uuid#counter, tracker/],
  ['correlation-id', '{echo_downstream: "yes"}', /:4 .*config\.echo_downstream: must be true or false/],
  ['correlation-id', '\n  header: X', /:5 .*config\.header: unknown field/],
  ['cors', '{origins: "*"}', /:4 .*config\.origins: must be a list/],
  ['cors', '\n  origins:\n  - http://a\n  - "("', /:7 .*config\.origins\[1\]: regular expression: /],
  ['cors', '{origins: ["a.test|b.test"]}', /:4 .*config\.origins\[0\]: .*put alternatives in a group/],
  ['cors', '{methods: [GET, LOOK]}', /:4 .*config\.methods\[1\]: must be one of GET, HEAD/],
  ['cors', '{headers: ["a\\nb"]}', /:4 .*config\.headers\[0\]: is not a header name/],
  ['cors', '{max_age: "1"}', /:4 .*config\.max_age: must be a number/],
  ['cors', '\n  credentials: true\n  origin: x', /:6 .*config\.origin: unknown field/],
  ['request-size-limiting', '{allowed_payload_size: 1.5}', /:4 .*allowed_payload_size: must be a whole number/],
  ['request-size-limiting', '{size_unit: gigabytes}', /:4 .*config\.size_unit: must be one of megabytes/],
  ['rate-limiting', '{}', /:4 .*config: set at least one of second, minute, hour, day, month, year/],
  ['rate-limiting', '{minute: 0}', /:4 .*config\.minute: must be a number above 0/],
  ['rate-limiting', '{minute: "5"}', /:4 .*config\.minute: must be a number above 0/],
  ['rate-limiting', '\n  second: 10\n  hour: 9', /:6 .*config\.hour: cannot be lower than the limit for a second/],
  ['rate-limiting', '\n  minute: 5\n  policy: redis', /:6 .*config\.policy: only local is supported, not "redis"/],
  [
    'rate-limiting',
    '\n  minute: 5\n  redis: {host: a}',
    /:6 .*config\.redis: not supported by this gateway: it counts in its own memory/,
  ],
  ['rate-limiting', '\n  minute: 5\n  sync_rate: 1', /:6 .*config\.sync_rate: not supported by this gateway/],
  ['rate-limiting', '{minute: 5, limit_by: cookie}', /:4 .*config\.limit_by: must be one of consumer, credential, ip/],
  ['rate-limiting', '{minute: 5, limit_by: header}', /:4 .*config\.header_name: is required/],
  ['rate-limiting', '{minute: 5, limit_by: path}', /:4 .*config\.path: is required/],
  ['rate-limiting', '{minute: 5, limit_by: path, path: a}', /:4 .*config\.path: must start with \//],
  ['rate-limiting', '{minute: 5, error_code: 200}', /:4 .*config\.error_code: must be a whole number from 400 to 599/],
]

for (const [name, config, line] of refused) {
  test(`${name}: ${JSON.stringify(config)} is refused with its line`, async () => {
    const text = `_format_version: "3.0"\nplugins:\n- name: ${name}\n  config: ${config.replaceAll('\n', '\n    ')}\n`
    const { config: read, explain } = await loadConfig({ name: 'kong.yml', text })
    const options = {
      resolve: (authority: string) => authority,
      log: silentLog,
      vault: new Vault({}),
      revocations: new Revocations(),
    }
    const error = await buildTable(read, options).then(() => assert.fail('it was taken'), explain)
    assert.match(String(error), line)
    assert.doesNotMatch(String(error), /\n/)
  })
}
