export interface Refusal {
  readonly status: 401 | 403 | 503
  readonly message: string
  readonly error: 'API_KEY_REQUIRED' | 'API_KEY_INVALID' | 'API_KEY_FORBIDDEN' | 'SERVICE_UNAVAILABLE'
}

export const KEY_REQUIRED: Refusal = { status: 401, message: 'API key required', error: 'API_KEY_REQUIRED' }
export const KEY_INVALID: Refusal = { status: 401, message: 'Invalid API key', error: 'API_KEY_INVALID' }
export const KEY_FORBIDDEN: Refusal = {
  status: 403,
  message: 'This API key does not permit that',
  error: 'API_KEY_FORBIDDEN',
}
export const UNVERIFIED: Refusal = {
  status: 503,
  message: 'The API key cannot be verified right now',
  error: 'SERVICE_UNAVAILABLE',
}

/** A refusal as the client reads it: the platform's envelope for failures. */
export function envelopeOf({ status, message, error }: Refusal, requestId: string) {
  return { code: '10001', status, message, error, requestId }
}
