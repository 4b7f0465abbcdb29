import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { signalGroup } from '../processes.ts'
import type { Account } from './account.ts'
import { complete, endOf, lastLines } from './command.ts'
import { type Platform, person, signIn, signUp, start } from './platform.ts'
import { nothingOf, processesOf } from './processes.ts'

export type Options = {
  readonly source: string
  readonly test: boolean
  /** Parts of the suite that npm test runs; none = all of it. */
  readonly parts: readonly string[]
}

/** Counts and prints what was tried. */
export class Steps {
  passed = 0
  failed = 0

  /** Runs one step and prints its outcome. @throws what the step throws: what comes after builds on it */
  async step<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    const began = performance.now()
    const said = (mark: string) => console.log(`${mark} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
    try {
      const value = await work()
      this.passed++
      said('✓')
      return value
    } catch (error) {
      this.failed++
      said('✗')
      const text = error instanceof Error ? error.message : String(error)
      console.log(text.replaceAll(/^/gm, '    '))
      throw error
    }
  }
}

const MINUTE = 60_000

/** Does what the README says, as this account, in a fresh clone. @throws what the first step that fails throws */
export async function keepsItsPromise(account: Account, steps: Steps, { source, test, parts }: Options): Promise<void> {
  const { checkout } = account
  const step: Steps['step'] = (name, work) => steps.step(name, work)
  await step('git clone', () => {
    clone(source, checkout)
    account.own(checkout)
  })
  await step('npm ci, with an empty cache', () => complete(account, ['npm', 'ci'], 5 * MINUTE))

  const [ada, bob] = [person('ada'), person('bob')]
  const first = await step('npm start', () => start(account))
  await step('sign up through the gateway', () => signUp(first, ada))
  await step('Ctrl-C ends it with 0', () => interrupt(first))
  await step('nothing is left', () => nothingOf(checkout))

  const second = await step('npm start again', () => start(account))
  await step('the account made before can sign in', () => signIn(second, ada))
  await step('another signs up', () => signUp(second, bob))
  await step('kill -9 of npm leaves nothing', () => {
    second.child.kill('SIGKILL')
    return nothingOf(checkout)
  })

  const third = await step('npm start after a kill', () => start(account))
  await step('both accounts can sign in', async () => {
    await signIn(third, ada)
    await signIn(third, bob)
  })
  await step('kill -9 of the supervisor leaves nothing', () => {
    killSupervisor(checkout)
    return nothingOf(checkout)
  })

  if (test) await step('npm test', () => testSuite(account, parts))
  if (test) await step('the tests leave nothing', () => nothingOf(checkout))
  await step('no file of the checkout has changed', () => {
    const changed = changes(checkout)
    if (changed.length > 0) throw new Error(changed.join('\n'))
  })
}

/** As a terminal does it: the signal goes to every process of the group. */
async function interrupt(platform: Platform): Promise<void> {
  signalGroup(platform, 'SIGINT')
  const ended = await Promise.race([endOf(platform), sleep(MINUTE, undefined, { ref: false })])
  const how = ended === undefined ? 'is still running after a minute' : `ended with ${ended}`
  if (ended !== 0) throw new Error(`npm start ${how}:\n${lastLines(platform.output())}`)
}

/** The node process that npm's shell became: npm itself and the workers have other command lines. */
function killSupervisor(checkout: string): void {
  const found = processesOf(checkout).find(({ command }) =>
    /^\S*node .*packages\/cli\/src\/main\.ts start/.test(command),
  )
  if (!found) throw new Error('no supervisor found among the processes of the checkout')
  process.kill(found.pid, 'SIGKILL')
}

async function testSuite(account: Account, parts: readonly string[]): Promise<void> {
  const only = parts.length > 0 ? ['--', ...parts.flatMap(part => ['--only', part])] : []
  const output = await complete(account, ['npm', 'test', ...only], 20 * MINUTE, 1000)
  console.log(output.slice(output.search(/^(Skipped|ℹ tests)/m)).replaceAll(/^/gm, '    '))
}

// Root looks into a checkout that it gave to another user, and CI's checkout may belong to anybody.
const TRUST = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' }

const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', env: { ...process.env, ...TRUST } })

/** A clone of the commit that is checked out in `source`, sharing no file with it. */
function clone(source: string, target: string): void {
  git('clone', '--quiet', '--no-local', '--depth=1', `file://${source}`, target)
}

/** What differs from the commit, as git's short lines; files that `.gitignore` names do not count. */
export const changes = (checkout: string): string[] =>
  git('-C', checkout, 'status', '--porcelain')
    .split('\n')
    .filter(line => line !== '')
