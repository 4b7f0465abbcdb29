/** A process of one subject. Arguments: subject, URLs of NATS and PostgreSQL. */
import { answerParent } from '../../process.ts'
import type { Open, Pace } from '../subject.ts'

const [name = '', nats = '', postgres = ''] = process.argv.slice(2)
// What bare is made of is installed only in bench/node_modules.
const { open }: { readonly open: Open } = await import(`../subjects/${name}.ts`)
const subject = await open({ nats, postgres })

answerParent({
  publish: (count: number) => subject.publish(count),
  consume: (count: number) => subject.consume(count),
  latency: (pace: Pace) => subject.latency(pace),
})
