/** A service that changes orders without end. Arguments: URLs of PostgreSQL and NATS, then the orders' ids. */
import { setTimeout as sleep } from 'node:timers/promises'
import { shop } from './outbox-shop.ts'

const [postgresUrl = '', natsUrl = '', ...ids] = process.argv.slice(2)
const { service, change } = shop({ postgresUrl, natsUrl })
await service.start()
process.on('SIGTERM', () => void service.stop().then(() => process.exit(0)))
for (let n = 0; ; n++) {
  for (const id of ids) {
    const text = `${process.pid}-${n}-${id}`
    await change(id, 'abandoned', true).catch(() => {})
    await change(id, text).then(
      () => process.stdout.write(`${text}\n`),
      () => {},
    )
  }
  await sleep(1)
}
