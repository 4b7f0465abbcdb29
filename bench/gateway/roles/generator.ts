/** A process that sends requests. */
import { answerParent } from '../../common/answer-parent.ts'
import { Meter } from '../../common/meter.ts'
import { Load } from '../load/load.ts'

const meter = new Meter()
const load = new Load(meter)

answerParent({
  start: (order: Parameters<Load['start']>[0]) => load.start(order),
  stop: () => load.stop(),
  mark: () => meter.mark(),
})
