/** A process that serves. Arguments: subject, `true` if it logs a line for each request. */
import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'
import { openSubject } from '../subjects.ts'

const [name = '', log = ''] = process.argv.slice(2)
const meter = new Meter()

answerParent({ ready: () => openSubject(name, log === 'true'), mark: () => meter.mark() })
