/** A process that sends requests. */
import { ClosedLoad } from '../../closed-load.ts'
import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'
import { CONNECTIONS, loadOf, type Order } from '../load.ts'

const meter = new Meter()
const load = new ClosedLoad(meter)

answerParent({
  start: (order: Order) => load.start(order.port, CONNECTIONS, loadOf(order)),
  stop: () => load.stop(),
  mark: () => meter.mark(),
})
