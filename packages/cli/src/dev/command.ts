import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { freePort } from '@tsmicro/infra'
import { CliError } from '../errors.ts'
import { contractModules } from '../explorer/contract-modules.ts'
import { chooseInstances } from '../restart/one-by-one.ts'
import { runStart, type StartCommand } from '../start/command.ts'
import type { Development, StartedSystem, StartingSystem } from '../start/development.ts'
import type { InstancePlan } from '../start/plan.ts'
import { type Followed, Follower } from './follow.ts'
import { Front } from './front.ts'
import { DevInstance, type MovingPlan } from './instance.ts'

export interface DevCommand extends Omit<StartCommand, 'replicas' | 'development'> {
  /** Whether mistakes in types keep the old code running. */
  readonly checkTypes: boolean
}

/** Runs a system as `tsmicro start` does, and restarts what a change of the sources touches. @throws as {@link runStart} */
export async function runDev({ checkTypes, ...command }: DevCommand): Promise<void> {
  const development = (starting: StartingSystem) => develop(starting, resolve(command.configFile), checkTypes)
  await runStart({ ...command, replicas: 1, development })
}

const GRACE_MS = 30_000

function develop(starting: StartingSystem, configFile: string, checkTypes: boolean): Development {
  const { config, log, livenessMs, signal, dataDir } = starting
  const root = realpathSync(starting.root)
  const path = (file: string) => realpathSync(resolve(root, file))
  const gateway = config.gateway && { entry: path(config.gateway.entry), others: [path(config.gateway.config)] }
  const [contract, ...others] = contractModules(config, root).map(path)
  // It is followed by what it shows: the contracts, which it loads when it starts.
  const explorer = contract === undefined ? [] : [{ entry: contract, others }]
  const programs = [
    ...Object.values(config.services).map(({ entry }) => ({ entry: path(entry) })),
    ...(gateway ? [gateway] : []),
    ...explorer,
  ]
  const options = { root, configFile: realpathSync(configFile), dataDir, log, checkTypes, signal }
  const follower = new Follower(programs, options)
  let plans: readonly MovingPlan[] = []

  const place = async (wanted: readonly InstancePlan[]) => {
    plans = await Promise.all(
      wanted.map(async plan => {
        const front = await Front.open(plan.name, plan.port)
        const port = await freePort()
        front.moveTo(port)
        return { ...plan, port, front }
      }),
    )
    return plans
  }

  const follow = (system: StartedSystem) => {
    const { running, makeWorker, admin } = system
    const noteStart = (name: string) => follower.noteStart(name)
    const context = { running, makeWorker, admin, livenessMs, noteStart, say: log.say, signal }
    const instances = plans.flatMap(plan => {
      const worker = system.instances.find(({ name }) => name === plan.name)?.worker
      return worker ? [{ plan, instance: new DevInstance(plan, worker, context) }] : []
    })
    signal.addEventListener('abort', () => {
      for (const { instance } of instances) instance.stop()
    })
    const services = instances.map(({ plan, instance }) => ({
      name: plan.name,
      entry: path(plan.service.entry),
      replace: async (_files: readonly string[], givenUp: AbortSignal) => {
        await instance.replace(givenUp)
        return 'is up to date'
      },
    }))
    follower.start([...services, ...followedGateway(system), ...followedExplorer(system)])
    return async (name: string | undefined, say: (text: string) => void) => {
      for (const { name: chosen } of chooseInstances(system.instances, name)) {
        await instances.find(({ plan }) => plan.name === chosen)?.instance.replace(signal)
        say(`${chosen} is replaced`)
      }
    }
  }

  function followedGateway({ gateway: process }: StartedSystem): Followed[] {
    if (gateway === undefined || process === undefined) return []
    const { worker } = process
    worker.onRestart = () => follower.noteStart('gateway')()
    const replace = async (files: readonly string[]) => {
      if (files.every(file => gateway.others.includes(file))) return reloadConfig(worker.pid)
      log.say('gateway: requests are refused until it is back')
      await worker.replace(GRACE_MS)
      return 'is up to date'
    }
    // The old one ends first, as both would need its port.
    return [{ name: 'gateway', ...gateway, replace, whenFailed: 'it is started again and again until it gets ready' }]
  }

  function followedExplorer({ running }: StartedSystem): Followed[] {
    const worker = running.gateways.find(({ name }) => name === 'explorer')
    if (worker === undefined) return []
    worker.onRestart = () => follower.noteStart('explorer')()
    const replace = async () => {
      // Before it was ready once, nothing would start it again.
      if (worker.pid === undefined) throw new CliError('the explorer is not ready')
      await worker.replace(GRACE_MS)
      return 'shows the new contracts'
    }
    const whenFailed = 'to see the new contracts, save one again'
    return explorer.map(program => ({ name: 'explorer', ...program, replace, whenFailed }))
  }
  return { place, follow }
}

/** It reads its kong.yml again, and reports what is wrong with it. No request fails. */
function reloadConfig(pid: number | undefined): string {
  if (pid === undefined) throw new CliError('the gateway does not run')
  process.kill(pid, 'SIGHUP')
  return 'was told to read it again'
}
