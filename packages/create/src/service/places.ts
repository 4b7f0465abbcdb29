import { posix } from 'node:path'
import type { ServiceOptions } from './options.ts'

/** Where the files of a service are, relative to the project. */
export interface Places {
  readonly contract: string
  readonly env: string
  readonly main: string
  readonly module: string
  /** Creates the service with its connections; undefined if `main` does. */
  readonly service: string | undefined
  readonly handlers: string
  readonly database: string
  readonly repository: string
  readonly migrations: string
  /** Starts the service in tests. */
  readonly testing: string
  /** The folder of its tests. */
  readonly tests: string
}

export function placesOf({ name, scope, store }: Pick<ServiceOptions, 'name' | 'scope' | 'store'>): Places {
  const folder = `services/${name}`
  const feature = store === undefined ? 'greeting' : 'item'
  if (scope === undefined)
    return {
      contract: `contracts/${name}.ts`,
      env: `${folder}/env.ts`,
      main: `${folder}/main.ts`,
      module: `${folder}/module.ts`,
      service: undefined,
      handlers: `${folder}/handlers.ts`,
      database: `${folder}/database.ts`,
      repository: `${folder}/repository.ts`,
      migrations: `${folder}/migrations`,
      testing: `${folder}/testing.ts`,
      tests: folder,
    }
  return {
    contract: `contracts/${name}/src/index.ts`,
    env: `${folder}/src/env.ts`,
    main: `${folder}/src/main.ts`,
    module: `${folder}/src/startup/module.ts`,
    service: `${folder}/src/startup/service.ts`,
    handlers: `${folder}/src/api/${feature}/handlers.ts`,
    database: `${folder}/src/database.ts`,
    repository: `${folder}/src/api/${feature}/repository.ts`,
    migrations: `${folder}/migrations`,
    testing: `${folder}/tests/support/service.ts`,
    tests: `${folder}/tests`,
  }
}

/** How one file imports another: `./env.ts`. */
export function specifier(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to)
  return path.startsWith('.') ? path : `./${path}`
}

export function contractSpecifier({ name, scope }: ServiceOptions, places: Places, from: string): string {
  return scope === undefined ? specifier(from, places.contract) : `${scope}/${name}-contract`
}
