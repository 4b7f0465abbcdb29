import { kongRoutes } from './kong-routes.ts'
import { type PublicService, publicRoutesOf } from './public-routes.ts'

const begin = (service: string) => `# <routes of ${service}> written by "tsmicro gateway generate" from its contracts`
const end = (service: string) => `# </routes of ${service}>`
const BEGIN = /^ *# <routes of ([\w-]+)>.*$/gm

/**
 * The text of a kong.yml with the routes between its marks written anew; all else stays as its author wrote it.
 *
 * ```yaml
 *   - name: blog-service
 *     url: http://blog:8002
 *     # <routes of blog> written by "tsmicro gateway generate" from its contracts
 *     routes: …
 *     # </routes of blog>
 * ```
 *
 * @throws {Error} when a service has no pair of marks, has two, or a mark names an unknown service
 */
export function withRoutes(text: string, services: readonly PublicService[]): string {
  const unknown = [...text.matchAll(BEGIN)].find(([, name]) => !services.some(service => service.name === name))
  if (unknown) throw new Error(`there is no service ${unknown[1]}, which a mark names`)
  return services.reduce(withRoutesOf, text)
}

function withRoutesOf(text: string, service: PublicService): string {
  const { name } = service
  const block = new RegExp(`^( *)# <routes of ${name}>[^\\n]*\\n([^]*?)^ *# </routes of ${name}>$`, 'gm')
  const found = [...text.matchAll(block)]
  if (found.length !== 1)
    throw new Error(`${found.length} pairs of the marks "${begin(name)}" and "${end(name)}": there has to be one`)
  const routes = kongRoutes(service, publicRoutesOf(service))
  return text.replace(block, (_all, indent: string) => `${indent}${begin(name)}\n${routes}${indent}${end(name)}`)
}
