import { checkName, readCommonFields } from './common-fields.ts'
import { configError } from './config-error.ts'
import type { ServiceConfig } from './model.ts'
import { readPlugins } from './read-plugin.ts'
import { readRoute } from './read-route.ts'
import { readTarget } from './read-target.ts'
import { Section } from './section.ts'
import { UNSUPPORTED_IN_SERVICE } from './unsupported.ts'

const TIMEOUT = { min: 1, max: 2 ** 31 - 2, integer: true }

export function readService(value: unknown, place: string): ServiceConfig {
  const section = new Section(value, place)
  const service: ServiceConfig = {
    name: checkName(section.string('name'), section.at('name')),
    enabled: section.boolean('enabled', true),
    ...readTarget(section),
    connectTimeout: section.number('connect_timeout', 60_000, TIMEOUT),
    writeTimeout: section.number('write_timeout', 60_000, TIMEOUT),
    readTimeout: section.number('read_timeout', 60_000, TIMEOUT),
    retries: section.number('retries', 5, { min: 0, max: 32_767, integer: true }),
    routes: readRoutes(section),
    plugins: readPlugins(section),
  }
  readCommonFields(section)
  section.finish(UNSUPPORTED_IN_SERVICE)
  return service
}

function readRoutes(section: Section) {
  const names = new Set<string>()
  const routes = section.list('routes', (value, place) => {
    const route = readRoute(value, place)
    if (names.has(route.name)) throw configError(place, `the name "${route.name}" is used twice`)
    names.add(route.name)
    return route
  })
  return routes ?? []
}
