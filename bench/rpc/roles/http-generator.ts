/** A process that sends HTTP requests. */
import { HttpLoad } from '../load/http-load.ts'
import { Meter } from '../load/meter.ts'
import { answerParent } from '../process/answer-parent.ts'

const meter = new Meter()
const load = new HttpLoad(meter)

answerParent({
  start: ({ port, connections, perSecond }: { port: number; connections: number; perSecond?: number }) =>
    load.start(port, connections, perSecond),
  stop: () => load.stop(),
  mark: () => meter.mark(),
})
