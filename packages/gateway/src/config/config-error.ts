/** The config cannot be run: `message` is one line that names the place (`services[0].routes[1].paths[0]: …`) and the fault. */
export class GatewayConfigError extends Error {
  override readonly name = 'GatewayConfigError'
}

export function configError(place: string, fault: string): GatewayConfigError {
  return new GatewayConfigError(place === '' ? fault : `${place}: ${fault}`)
}
