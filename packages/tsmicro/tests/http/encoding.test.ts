import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import type { Answer } from '../support/json.ts'
import { build } from '../support/service.ts'

const Text = Type.Object({ text: Type.String() })
const echo = contract('echo', {
  body: procedure({ http: 'POST /body', access: 'key', input: Text, output: Text }),
  path: procedure({ http: 'GET /path/:text', access: 'key', input: Text, output: Text }),
  query: procedure({ http: 'GET /query', access: 'key', input: Text, output: Text }),
})
const { service } = build({
  handlers: [
    implement(echo, {
      body: ({ input }) => input,
      path: ({ input }) => input,
      query: ({ input }) => input,
    }),
  ],
})

const post = async (payload: Buffer, headers: Readonly<Record<string, string>> = {}) =>
  (
    await service.inject({
      method: 'POST',
      url: '/body',
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    })
  ).json<Answer>()
const jsonOf = (...bytes: number[]) =>
  Buffer.concat([Buffer.from('{"text":"a'), Buffer.from(bytes), Buffer.from('b"}')])

test('text comes as it was sent', async () => {
  const text = 'é 漢 👩‍👩‍👧 \u{10FFFF} \uFFFD \u0001'
  assert.deepEqual((await post(Buffer.from(JSON.stringify({ text })))).data, { text })
  assert.deepEqual((await post(Buffer.from(`\uFEFF${JSON.stringify({ text })}`))).data, { text })
})

test('a body that is not UTF-8 is refused, not read as something else', async () => {
  for (const bytes of [
    [0xff],
    [0xc3],
    [0xc0, 0xaf],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    // As long as the character that decoders put in its place: the length alone gives nothing away.
    [0xf0, 0x90, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
  ]) {
    const { status, error } = await post(jsonOf(...bytes))
    assert.deepEqual([status, error], [400, 'MALFORMED_REQUEST'], bytes.map(byte => byte.toString(16)).join(' '))
  }
  assert.equal((await post(Buffer.from('{"text":"a"}', 'utf16le'))).status, 400)
})

test('a compressed body is refused, and so is one that only claims to be compressed', async () => {
  const plain = Buffer.from('{"text":"a"}')
  for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, identity', 'unheard-of']) {
    for (const payload of [plain, gzipSync(plain)]) {
      const { status, error } = await post(payload, { 'content-encoding': encoding })
      assert.deepEqual([status, error], [415, 'UNSUPPORTED_MEDIA_TYPE'], encoding)
    }
  }
  assert.deepEqual((await post(plain, { 'content-encoding': 'identity' })).data, { text: 'a' })
})

test('a path or query that is not UTF-8 is refused', async () => {
  for (const written of ['%FF', '%C3', '%C0%AF', '%ED%A0%80', '%F0%90%80', '%', '%4', '%zz', '%u0041']) {
    for (const url of [`/path/a${written}`, `/query?text=a${written}`, `/query?text=a&${written}=1`]) {
      const { status, code } = (await service.inject({ url })).json<Answer & { code: string }>()
      assert.deepEqual([status, code], [400, '10001'], url)
    }
  }
})
