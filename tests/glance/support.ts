import assert from 'node:assert/strict'
import { freePort } from '@tsmicro/infra'
import { Program } from '../support/program.ts'
import { until } from '../support/until.ts'

/** Runs a program of this folder as a separate process, on a free port, with a NATS server. */
export async function run(entry: string, natsUrl: string): Promise<Program> {
  const port = await freePort()
  const env = { PORT: String(port), NATS_URL: natsUrl, NO_COLOR: '1' }
  const program = new Program({ entry, env, url: `http://127.0.0.1:${port}`, readyPath: '/greet/Ada' })
  program.launch()
  return program
}

/** `serve`: the HTTP door greets, and refuses a name that is too short. */
export async function assertGreets(program: Program): Promise<void> {
  await program.untilReady()
  assert.match(await (await fetch(`${program.url}/greet/Ada`)).text(), /Hello Ada/)
  assert.equal((await fetch(`${program.url}/greet/A`)).status, 400)
}

/** `event`: a published event is handled. */
export async function assertHandles(program: Program): Promise<void> {
  await until('the event to be handled', () => program.output.includes('Welcome Ada'))
}

/** `role` and `user`: who may forget a name. */
export async function assertForgets(program: Program, learnerMay: boolean): Promise<void> {
  const forget = (headers: Record<string, string>) =>
    fetch(`${program.url}/names/Ada`, { method: 'DELETE', headers }).then(({ status }) => status)
  await until('an answer', async () => (await forget({})) === 401)
  assert.equal(await forget({ authorization: 'Bearer EDITOR' }), 200)
  assert.equal(await forget({ authorization: 'Bearer LEARNER' }), learnerMay ? 200 : 403)
}
