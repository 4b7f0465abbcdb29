import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@tsmicro/infra'
import type { Program } from '../processes.ts'
import type { Account } from './account.ts'
import { begin, endOf, lastLines } from './command.ts'

// Printed by every development start, and in the README.
const API_KEY = '1D3F2DD1A5DE725DD4DF1D82BBB37'
const READY = /Ctrl-C stops everything/
const READY_BOUND_MS = 180_000

export type Platform = Program & { readonly url: string }
export type Person = { readonly email: string; readonly password: string; readonly name: string }

/** `npm start` in the account's checkout, up to the final table. */
export async function start(account: Account): Promise<Platform> {
  const port = await freePort()
  const command = begin(account, ['npm', 'start'], { GATEWAY_PORT: String(port) })
  let ended: number | string | null | undefined
  endOf(command).then(code => {
    ended = code
  })
  const end = Date.now() + READY_BOUND_MS
  while (!READY.test(command.output())) {
    if (ended !== undefined || Date.now() > end) {
      const why = ended === undefined ? `is not ready after ${READY_BOUND_MS / 1000} s` : `ended with ${ended}`
      throw new Error(`npm start ${why}:\n${lastLines(command.output())}`)
    }
    await sleep(50)
  }
  return { ...command, url: `http://127.0.0.1:${port}` }
}

export const person = (name: string): Person => ({ email: `${name}@example.com`, password: 'correct horse', name })

/** @throws Error unless the platform makes the account */
export const signUp = (platform: Platform, who: Person): Promise<void> => post(platform, '/auth/signup/basic', who)

/** @throws Error unless the platform knows the account */
export const signIn = (platform: Platform, { email, password }: Person): Promise<void> =>
  post(platform, '/auth/signin/basic', { email, password })

async function post({ url, output }: Platform, path: string, body: object): Promise<void> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'x-api-key': API_KEY, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await answer.text()
  if (answer.status === 200 && text.includes('accessToken')) return
  throw new Error(`POST ${path} answered ${answer.status} ${text}\n${lastLines(output(), 30)}`)
}
