import type { Account } from './account.ts'
import { type Command, complete, lastLines, signalGroup } from './command.ts'
import { changes, clone } from './git.ts'
import { type Platform, person, signIn, signUp, start } from './platform.ts'
import { nothingOf, processesOf } from './processes.ts'
import type { Steps } from './steps.ts'

export type Options = {
  readonly source: string
  readonly test: boolean
  /** Parts of the suite that npm test runs; none = all of it. */
  readonly parts: readonly string[]
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
  const code = await ending(platform, MINUTE)
  if (code !== 0) throw new Error(`npm start ended with ${code}:\n${lastLines(platform.output())}`)
}

async function ending({ exit, output }: Command, boundMs: number): Promise<number | string> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = () => reject(new Error(`still running after ${boundMs / 1000} s:\n${lastLines(output())}`))
  const timer = setTimeout(late, boundMs)
  return await Promise.race([exit, promise]).finally(() => clearTimeout(timer))
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
