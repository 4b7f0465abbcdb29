/** The config cannot be run: `message` is one line that names the place (`services[0].routes[1].paths[0]: …`) and the fault. */
export class GatewayConfigError extends Error {
  override readonly name = 'GatewayConfigError'
}

/** A fault at a place inside the config. */
export function configError(place: string, fault: string): GatewayConfigError {
  const error = new GatewayConfigError(place === '' ? fault : `${place}: ${fault}`)
  placed.add(error)
  return error
}

/** Adds the file to an error that names a place inside it; leaves any other error as it is. */
export function inFile(file: string, error: unknown): unknown {
  if (!(error instanceof GatewayConfigError) || !placed.has(error)) return error
  return new GatewayConfigError(`config ${file} is invalid at ${error.message}`, { cause: error })
}

const placed = new WeakSet<GatewayConfigError>()
