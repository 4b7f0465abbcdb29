import assert from 'node:assert/strict'
import { test } from 'node:test'
import { balancerFinder } from '../src/balancing/upstream.ts'
import { loadConfig } from '../src/config/load.ts'
import { Vault } from '../src/config/vault.ts'
import { Revocations } from '../src/plugins/apikey-auth/revocations.ts'
import type { AccessPlugin } from '../src/plugins/plugin.ts'
import { PluginSet } from '../src/plugins/registry.ts'
import { Generation } from '../src/proxy/generations.ts'
import { proxyHandler } from '../src/proxy/handler.ts'
import { openBackend } from '../src/proxy/table.ts'
import { Router } from '../src/routing/router.ts'
import { echo, oneService, recordingLog, send, upstream } from './support.ts'

const failing: Record<string, NonNullable<AccessPlugin['access']>> = {
  'throws at once': () => {
    throw new Error('a secret detail')
  },
  'rejects later': () => Promise.reject(new Error('a secret detail')),
  'throws something other than an Error': () => Promise.reject('a secret detail'),
}

for (const [how, access] of Object.entries(failing)) {
  test(`a plugin that ${how}: 500 in Kong's form, and the request is not forwarded`, async () => {
    let reached = 0
    await using service = await upstream((req, res) => {
      reached += 1
      echo(req, res)
    })
    const loaded = await loadConfig(oneService(`http://${service.authority}`))
    const [config] = loaded.config.services
    const [route] = config?.routes ?? []
    assert.ok(config && route)
    const backend = openBackend(config, balancerFinder(new Map(), authority => authority)(config))
    const log = recordingLog()
    const plugin: AccessPlugin = { access }
    const entry = {
      backend,
      plugins: [plugin],
      responders: [],
      hiddenHeaders: new Set<string>(),
      maxBodyBytes: Number.POSITIVE_INFINITY,
      stripPath: true,
      preserveHost: false,
      httpsOnly: undefined,
      admitsPages: false,
    }
    const generation = new Generation({
      router: new Router([[route, entry]]),
      unmatchedResponders: [],
      plugins: new PluginSet({
        balancerOf: () => backend.balancer,
        log,
        vault: new Vault({}),
        revocations: new Revocations(),
      }),
      upstreams: new Map(),
      hosts: [],
      close: () => backend.pools.close(),
    })
    await using gateway = await upstream(proxyHandler(() => generation, log))
    const { status, json, headers } = await send(gateway.port)
    assert.equal(status, 500)
    assert.deepEqual(json, { message: 'An unexpected error occurred', request_id: headers['x-kong-request-id'] })
    assert.equal(reached, 0)
    assert.match(log.lines.join('\n'), /a secret detail/)
    await generation.retire(0)
  })
}
