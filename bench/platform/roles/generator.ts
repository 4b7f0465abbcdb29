/** A process that sends requests. */
import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'
import { Load } from '../load.ts'

const meter = new Meter()
const load = new Load(meter)

answerParent({
  know: ({ name, requests }: { readonly name: string; readonly requests: Parameters<Load['know']>[1] }) =>
    load.know(name, requests),
  start: (order: Parameters<Load['start']>[0]) => load.start(order),
  stop: () => load.stop(),
  mark: () => meter.mark(),
})
