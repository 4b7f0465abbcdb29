import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNatsBroadcast, SERVICE_UNAVAILABLE } from 'tsmicro'
import { roundTrip, until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

export async function broadcast(openNetwork: OpenNetwork) {
  const network = await openNetwork()
  async function open(name: string) {
    const nats = network.client('test')
    await nats.connect()
    const bus = createNatsBroadcast(nats, 'group')
    const heard: string[] = []
    const state = { lost: 0 }
    bus.listen(name, { heard: text => heard.push(text), lost: () => void state.lost++ })
    await roundTrip(nats)
    return { nats, bus, heard, state }
  }

  test('to all, the sender included; to one; again after a lost connection; no longer after close', async t => {
    const [a, b] = [await open('a'), await open('b')]
    t.after(() => Promise.all([a.nats.close(), b.nats.close()]))
    a.bus.send('all')
    a.bus.send('b alone', 'b')
    a.bus.send('nobody', 'c')
    await until('they are heard', () => a.heard.length === 1 && b.heard.length === 2)
    assert.deepEqual([a.heard, b.heard], [['all'], ['all', 'b alone']])
    assert.throws(() => a.bus.send('x', 'b.>'), TypeError)
    await network.fail()
    await until('the loss is told', () => a.state.lost === 1 && b.state.lost === 1)
    assert.throws(() => a.bus.send('lost'), SERVICE_UNAVAILABLE)
    await network.recover()
    await until('they are connected', () => a.nats.connected && b.nats.connected)
    await Promise.all([roundTrip(a.nats), roundTrip(b.nats)])
    a.bus.send('again')
    await until('it is heard', () => b.heard.at(-1) === 'again')
    b.bus.close()
    a.bus.send('last')
    await roundTrip(a.nats)
    await roundTrip(b.nats)
    assert.equal(b.heard.at(-1), 'again')
    await a.nats.close()
    await until('the end is told', () => a.state.lost === 2)
    await b.nats.close()
    assert.equal(b.state.lost, 1)
    assert.throws(
      () => createNatsBroadcast(a.nats, 'group').listen('a', { heard() {}, lost() {} }),
      SERVICE_UNAVAILABLE,
    )
  })
}
