import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startDocuments } from '@tsmicro/infra'
import { PATIENT_MONGO } from '../../tests/support/patient-mongo.ts'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { createMongo, createMongoMembership } from './index.ts'

const server = await startDocuments({ ephemeral: true })
const mongo = createMongo({ url: server.url, database: 'membership', ...PATIENT_MONGO })
await mongo.connect()
after(async () => {
  await mongo.close()
  await server.stop()
})

let groups = 0
const open = () => createMongoMembership(mongo, 'members', `group-${groups++}`)

test('join, renew, leave; a member that is missing or out cannot renew', async () => {
  const registry = open()
  assert.equal(await registry.renew('a'), undefined)
  const first = await registry.join('a', 3000, [])
  assert.deepEqual([...first.members], [['a', { beat: 1, leaseMs: 3000, out: false }]])
  assert.equal((await registry.renew('a'))?.members.get('a')?.beat, 2)
  const second = await registry.join('b', 1000, ['a', 'never'])
  assert.deepEqual([...second.members.keys()], ['b'])
  assert.equal(await registry.renew('a'), undefined)
  const third = await registry.putOut(['b', 'never'])
  assert.deepEqual(third.members.get('b'), { beat: 1, leaseMs: 1000, out: true })
  assert.equal(await registry.renew('b'), undefined)
  await registry.remove('b', 7)
  assert.equal((await registry.read()).members.size, 1)
  await registry.remove('b', 1)
  assert.equal((await registry.read()).members.size, 0)
  await registry.join('c', 1000, [])
  await registry.leave(['c', 'never'])
  await registry.leave([])
  assert.equal((await registry.read()).members.size, 0)
  assert.deepEqual((await registry.read()).generation, first.generation)
})

test('members that join at the same time are all present, under one generation', async () => {
  const registry = open()
  const ids = Array.from({ length: 20 }, (_, index) => `m${index}`)
  const states = await Promise.all(ids.map(id => registry.join(id, 1000, [])))
  assert.equal(new Set(states.map(({ generation }) => generation.id)).size, 1)
  assert.deepEqual([...(await registry.read()).members.keys()].sort(), ids.sort())
})

test('of several members that replace a generation at the same time, one succeeds, and all learn the result', async () => {
  const registry = open()
  const { generation } = await registry.read()
  assert.deepEqual([generation.number, generation.server], [1, ''])
  const states = await Promise.all(
    Array.from({ length: 10 }, (_, index) => registry.replaceGeneration(1, { id: `id${index}`, server: 's' })),
  )
  assert.equal(new Set(states.map(state => state.generation.id)).size, 1)
  assert.equal((await registry.read()).generation.number, 2)
})

test('a name that would be a path is refused; without a server it is SERVICE_UNAVAILABLE', async () => {
  const registry = open()
  for (const id of ['a.b', '$a', '', 'a\0']) await assert.rejects(async () => registry.join(id, 1000, []), TypeError)
  server.kill('SIGKILL')
  await assert.rejects(registry.read(), SERVICE_UNAVAILABLE)
  await server.restart()
})
