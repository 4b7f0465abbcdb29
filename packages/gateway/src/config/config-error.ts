/** The config cannot be run: `message` is one line that names the place (`services[0].routes[1].paths[0]: …`) and the fault. */
export class GatewayConfigError extends Error {
  override readonly name = 'GatewayConfigError'
}

/** A fault at a place inside the config. */
export function configError(place: string, fault: string): GatewayConfigError {
  const error = new GatewayConfigError(place === '' ? fault : `${place}: ${fault}`)
  places.set(error, place)
  return error
}

/** Adds the file and the line to an error that names a place inside it; leaves any other error as it is. */
export function inFile(file: string, lineOf: (place: string) => number, error: unknown): unknown {
  const place = error instanceof GatewayConfigError ? places.get(error) : undefined
  if (place === undefined || !(error instanceof Error)) return error
  return new GatewayConfigError(`config ${file}:${lineOf(place)} is invalid at ${error.message}`, { cause: error })
}

const places = new WeakMap<GatewayConfigError, string>()
