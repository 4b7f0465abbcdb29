/** A process that sends requests. */
import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'
import { Load } from '../load.ts'

const meter = new Meter()
const load = new Load(meter)

answerParent({
  start: (order: Parameters<Load['start']>[0]) => load.start(order),
  stop: () => load.stop(),
  mark: () => meter.mark(),
})
