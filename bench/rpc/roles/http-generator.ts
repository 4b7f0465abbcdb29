/** A process that sends HTTP requests. */

import { answerParent } from '../../common/answer-parent.ts'
import { Meter } from '../../common/meter.ts'
import { HttpLoad } from '../load/http-load.ts'

const meter = new Meter()
const load = new HttpLoad(meter)

answerParent({
  start: ({ port, connections, perSecond }: { port: number; connections: number; perSecond?: number }) =>
    load.start(port, connections, perSecond),
  stop: () => load.stop(),
  mark: () => meter.mark(),
})
