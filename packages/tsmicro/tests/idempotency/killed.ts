/** A service that never finishes its first call, and says so when it has begun. Arguments: item and key. */
import { createMongo } from 'tsmicro/mongo'
import { createPostgres } from 'tsmicro/postgres'
import { testService } from 'tsmicro/testing'
import { PATIENT_MONGO } from '../support/patient-mongo.ts'
import { moduleOf } from './shop.ts'

const [item = '', key = ''] = process.argv.slice(2)
const { IDEMPOTENCY_POSTGRES, IDEMPOTENCY_MONGO = '' } = process.env
const database = IDEMPOTENCY_POSTGRES
  ? createPostgres({ url: IDEMPOTENCY_POSTGRES })
  : createMongo({ url: IDEMPOTENCY_MONGO, database: 'idempotency', ...PATIENT_MONGO })
await database.connect()
const app = await testService(({ nats }) => ({
  nats,
  ...moduleOf(database.idempotencyStore(), () => {
    process.stdout.write('begun\n')
    return new Promise(() => {})
  }),
}))
await app.as({ id: 'ann' }).fetch('/brief', {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'idempotency-key': key },
  body: JSON.stringify({ item }),
})
