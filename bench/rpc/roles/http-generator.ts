/** A process that sends HTTP requests. */

import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'
import { HttpLoad } from '../load.ts'

const meter = new Meter()
const load = new HttpLoad(meter)

answerParent({
  start: ({ port, connections, perSecond }: { port: number; connections: number; perSecond?: number }) =>
    load.start(port, connections, perSecond),
  stop: () => load.stop(),
  mark: () => meter.mark(),
})
