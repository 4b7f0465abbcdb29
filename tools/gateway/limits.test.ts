import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withRoutes } from '@tsmicro/cli/generate'
import { contract, frameworkErrors, procedure } from 'tsmicro/contract'
import { parse } from 'yaml'

const TEXT = `_ignore: [&read { name: r }, &write { name: w }]
services:
  - name: shop-service
`

test('what declares TOO_MANY_REQUESTS is limited by address, if the file says how', () => {
  const { TOO_MANY_REQUESTS } = frameworkErrors
  const limits = contract('shop', {
    enter: procedure({ http: 'POST /enter', access: 'key', errors: { TOO_MANY_REQUESTS } }),
    leave: procedure({ http: 'POST /leave', access: 'key' }),
  })
  const pluginsIn = (text: string) =>
    parse(withRoutes(text, [{ name: 'shop', prefix: '/shop', exported: { limits } }]))
      .services[0].routes.slice(0, 2)
      .map(({ plugins }: { plugins: { name: string }[] }) => plugins.map(({ name }) => name))
  assert.deepEqual(pluginsIn(TEXT), [['w'], ['w']])
  assert.deepEqual(pluginsIn(TEXT.replace('&write', '&limited { name: l }, &write')), [['w', 'l'], ['w']])
})
