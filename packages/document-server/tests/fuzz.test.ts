import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { commands } from '../src/commands/dispatch.ts'
import { command, damaged, garbage, type Random, seeded } from './support/fuzz.ts'
import { startProcess } from './support/process.ts'
import { temporaryDir } from './support/target.ts'
import { opMsg, Wire } from './support/wire.ts'

const INPUTS = process.env.CI ? 10_000 : 1000
const CONNECTIONS = 8
/** Replays one run: `FUZZ_SEED=1 npm test -- --only document-server/tests/fuzz`. */
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31))

const all = Object.entries(commands).map(([name, { options }]) => [name, options.split(' ').filter(Boolean)] as const)
/** Failed attempts to sign in are answered late on purpose, so there are few of them, on connections that have not signed in. */
const known = all.filter(([name]) => !/^(sasl|logout)/.test(name))
const ping = opMsg({ ping: 1, $db: 'a' })

test(`${INPUTS} random inputs end no process, and every command is answered (seed ${seed})`, async () => {
  await using dir = await temporaryDir()
  await using server = await startProcess(dir.path, ['--durability', 'process'])
  let stderr = ''
  server.child.stderr?.on('data', chunk => {
    stderr += chunk
  })
  const strange = new Map<string, unknown>()
  const one = async (random: Random) => {
    let wire = await Wire.signedIn(server.url)
    for (let input = 0; input < INPUTS / CONNECTIONS; input++) {
      if (wire.ended) wire = random(4) === 0 ? new Wire(server.url) : await Wire.signedIn(server.url)
      const kind = random(10)
      if (kind === 0) {
        // The server may wait for a rest that never comes.
        wire.socket.end(garbage(random))
        await wire.closed
      } else if (kind < 4) {
        wire.socket.write(damaged(random, command(random, known)))
        wire.socket.write(ping)
        await wire.next()
        // Another reply may be on its way, which must not be taken for that to a later input.
        if (random(3) === 0) wire.socket.destroy()
        await (wire.socket.destroyed ? wire.closed : wire.drained())
      } else {
        const sent = command(random, random(30) === 0 ? all : known)
        const reply = await wire.ask(sent)
        if (reply?.code === 1) strange.set(String(reply.errmsg).slice(0, 60), sent)
      }
    }
    wire.socket.destroy()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => one(seeded(seed + n))))
  assert.equal(server.child.exitCode ?? server.child.signalCode, null, stderr)
  using last = await Wire.signedIn(server.url)
  assert.equal((await last.ask({ ping: 1 }))?.ok, 1)
  assert.doesNotMatch(stderr, /unhandled|MaxListeners|Error:/i)
  assert.deepEqual([...strange], [], 'commands whose failure is an inner one')
})
