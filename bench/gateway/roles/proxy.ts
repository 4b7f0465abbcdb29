/** A process that proxies. Arguments: subject, port of the upstream. */
import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'
import { openSubject } from '../subjects.ts'

const [name = '', upstreamPort = ''] = process.argv.slice(2)
const meter = new Meter()

answerParent({ ready: () => openSubject(name, Number(upstreamPort)), mark: () => meter.mark() })
