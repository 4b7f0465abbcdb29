import { type Contract, proceduresOf } from '../../contract/index.ts'
import type { Module } from '../../micro/index.ts'

/** The contracts that a module's handlers and those of its controllers implement. */
function contractsOf({ handlers = [], controllers = [] }: Module): readonly Contract[] {
  return [handlers, ...controllers.map(controller => controller.handlers)]
    .flat()
    .flatMap(each => (each.kind === 'implementation' ? [each.contract] : []))
}

/**
 * What a service is called, by what it implements.
 * @throws {TypeError} when that does not tell
 */
export function serviceNameOf(module: Module): string {
  const procedures = contractsOf(module).flatMap(proceduresOf)
  // Over NATS a service serves its own name alone; over HTTP it may be any.
  const served = procedures.filter(({ subject }) => subject !== undefined)
  const [name, ...others] = new Set((served.length > 0 ? served : procedures).map(({ service }) => service))
  if (name !== undefined && others.length === 0) return name
  if (name === undefined && (module.controllers ?? []).length === 0) return 'service'
  const why =
    name === undefined ? 'its handlers implement no contract' : `it implements ${[name, ...others].join(', ')}`
  throw new TypeError(`what is the service called? ${why}: testService(createModule, { name })`)
}

/** Below which path a contract is served: its controller's. */
export function basePathOf({ controllers = [] }: Module, contract: Contract): string {
  const procedures = new Set(proceduresOf(contract))
  const found = controllers.find(({ handlers }) =>
    handlers.some(
      each => each.kind === 'implementation' && proceduresOf(each.contract).some(each => procedures.has(each)),
    ),
  )
  return found?.basePath ?? '/'
}
