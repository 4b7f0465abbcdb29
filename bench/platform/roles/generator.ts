/** A process that sends requests. */
import { ClosedLoad } from '../../closed-load.ts'
import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'
import { exchangeOf, type Order } from '../load.ts'
import type { Request } from '../traffic.ts'

const meter = new Meter()
const load = new ClosedLoad(meter)
const known = new Map<string, readonly Request[]>()

answerParent({
  know: ({ name, requests }: { readonly name: string; readonly requests: readonly Request[] }) =>
    void known.set(name, requests),
  start: ({ name, port, connections }: Order) => load.start(port, connections, (known.get(name) ?? []).map(exchangeOf)),
  stop: () => load.stop(),
  mark: () => meter.mark(),
})
