import { createStreams, type NatsClient } from 'tsmicro'
import { streamsOf } from 'tsmicro/internal'
import { RecordedLog } from '../../support/log.ts'
import type { Network } from './network.ts'

/** The user who may create streams. */
export const OPERATOR = 'operator'

/** Creates a service's streams as an operator does. */
export function createStreamsAs(client: (name: string) => NatsClient): Network['streams'] {
  return async (service, publishes, handles = {}) => {
    const operator = client(OPERATOR)
    await operator.connect()
    await createStreams(operator, streamsOf({ service, serves: publishes, handles }), new RecordedLog())
    await operator.close()
  }
}
