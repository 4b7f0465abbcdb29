/** A process of one service, of this checkout or another. Arguments: the path of its main.ts. It listens on PORT. */
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Meter } from '../../meter.ts'
import { answerParent } from '../../process.ts'

const [main = ''] = process.argv.splice(2)
const meter = new Meter()

answerParent({
  /** Resolves to the milliseconds from the start of the process until it is ready. */
  ready: async () => {
    const isReady = () =>
      fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
    while (!(await isReady())) await sleep(10)
    return performance.now()
  },
  mark: () => meter.mark(),
})
await import(pathToFileURL(main).href)
