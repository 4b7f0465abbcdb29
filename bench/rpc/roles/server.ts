/** A process that answers. Arguments: subject, address of NATS, name of the service. */

import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'
import { answer } from '../payload.ts'
import { loadSubject } from '../subjects.ts'

const [name = '', natsUrl = '', service = ''] = process.argv.slice(2)
const meter = new Meter()

answerParent({
  ready: async () => {
    const { serve } = await loadSubject(name)
    await serve({ natsUrl, service }, request => {
      meter.count()
      return answer(request)
    })
  },
  mark: () => meter.mark(),
  total: () => meter.total,
})
