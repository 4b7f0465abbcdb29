import type { Exchange } from '../closed-load.ts'
import { requestBytes } from '../http-client.ts'
import { COUNTER, type Request, signed } from './traffic.ts'

/** What a generator is told. */
export interface Order {
  /** Of the requests, which it knows already. */
  readonly name: string
  readonly port: number
  readonly connections: number
}

const RUN = Date.now().toString(36)

/** A request as it is sent. What is read is the same each time; what is written has a number of its own. */
export function exchangeOf(request: Request): Exchange {
  const { method, path, body = '' } = request
  // Signed again for each measurement, as the gateway's signature is valid for half a minute.
  const headers = signed(request)
  const whole = requestBytes(method, path, headers, body)
  let expected: string | undefined
  return {
    bytes: n =>
      body.includes(COUNTER) ? requestBytes(method, path, headers, body.replaceAll(COUNTER, `${RUN}-${n}`)) : whole,
    isRight(answer) {
      if (body !== '') return true
      expected ??= answer
      return answer === expected
    },
  }
}
