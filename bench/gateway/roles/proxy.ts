/** A process that proxies. Arguments: subject, port of the upstream. */
import { answerParent } from '../../common/answer-parent.ts'
import { Meter } from '../../common/meter.ts'
import { loadSubject } from '../subjects.ts'

const [name = '', upstreamPort = ''] = process.argv.slice(2)
const meter = new Meter()

answerParent({
  ready: async () => {
    const subject = await loadSubject(name)
    return subject.open(Number(upstreamPort))
  },
  mark: () => meter.mark(),
})
