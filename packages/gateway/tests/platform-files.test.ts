import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { parse } from 'yaml'

const read = async (name: string) => parse(await readFile(new URL(`../../../kong/${name}`, import.meta.url), 'utf8'))

test('kong-load-balanced.yml is kong.yml and upstreams, nothing else: what guards the one guards the other', async () => {
  const { upstreams, ...rest } = await read('kong-load-balanced.yml')
  assert.deepEqual(rest, await read('kong.yml'))
  assert.deepEqual(
    upstreams.map(({ name }: { name: string }) => name),
    ['auth', 'blog'],
  )
})
