/** A process that calls, in a closed loop or for HTTP requests. Arguments: subject, address of NATS, name of the service. */

import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'
import { ClosedLoop, openHttpDoor } from '../load.ts'
import { loadSubject } from '../subjects.ts'

const [name = '', natsUrl = '', service = ''] = process.argv.slice(2)
const meter = new Meter()
let loop: ClosedLoop | undefined

answerParent({
  ready: async () => {
    const { connect } = await loadSubject(name)
    const call = await connect({ natsUrl, service })
    loop = new ClosedLoop(call, meter)
    const { port } = await openHttpDoor(call, meter)
    return port
  },
  start: (inFlight: number) => loop?.start(inFlight),
  stop: () => loop?.stop(),
  mark: () => meter.mark(),
  total: () => meter.total,
})
