/** What JetStream answers instead of doing what it was asked to. */
export class Refusal extends Error {
  readonly error: { readonly code: number; readonly err_code: number; readonly description: string }

  constructor(code: number, errCode: number, description: string) {
    super(description)
    this.error = { code, err_code: errCode, description }
  }
}

export const noStream = () => new Refusal(404, 10059, 'stream not found')
export const noConsumer = () => new Refusal(404, 10014, 'consumer not found')
export const noMessage = () => new Refusal(404, 10037, 'no message found')
export const noSequence = (sequence: number) => new Refusal(400, 10043, `sequence ${sequence} not found`)
export const nameInUse = () => new Refusal(400, 10058, 'stream name already in use with a different configuration')
export const subjectsOverlap = () => new Refusal(400, 10065, 'subjects overlap with an existing stream')
export const nameMismatch = () => new Refusal(400, 10056, 'stream name in subject does not match request')
export const cannotUpdate = (what: string) => new Refusal(500, 10012, `${what} can not be updated`)
export const headersTooLarge = () => new Refusal(400, 10097, 'header size exceeds maximum allowed of 64k')

let made = 0

/** Now, as unique as a server's nanoseconds are. */
export function timeOfCreation(): string {
  made = (made + 1) % 1e6
  return new Date().toISOString().replace('Z', `${String(made).padStart(6, '0')}Z`)
}
