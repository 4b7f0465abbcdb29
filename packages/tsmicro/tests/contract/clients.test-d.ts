/** What callers may pass and get. Checked by tsc alone. */
import type { NatsClient, Publisher } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { shop } from './fixture.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_: T) => undefined
declare const nats: NatsClient
declare const events: Publisher

async function natsClient() {
  const on = await nats.client(shop).both({ id: 'a', on: true }, { timeoutMs: 5 })
  is<Equal<typeof on, boolean>>(true)
  const nothing = await nats.client(shop).only()
  is<Equal<typeof nothing, void>>(true)
  const { n } = await nats.client(shop).zod({})
  is<Equal<typeof n, number>>(true)
  await nats.client(shop).zod({ n: '5' })
  const { price } = await nats.client(shop).priced()
  is<Equal<typeof price, number>>(true)
  // @ts-expect-error: the input is a string, which is converted
  await nats.client(shop).zod({ n: true })
  // @ts-expect-error: a field is missing
  await nats.client(shop).both({ id: 'a' })
  // @ts-expect-error: a field of another type
  await nats.client(shop).both({ id: 'a', on: 'yes' })
  // @ts-expect-error: no input at all
  await nats.client(shop).both()
  // @ts-expect-error: it has no NATS door
  await nats.client(shop).find({ id: 1 })
  const loose = await nats.request<{ name: string }>('go.user', { id: 'a' })
  is<Equal<typeof loose, { name: string }>>(true)
}

async function httpClient() {
  const client = createHttpClient(shop, { baseUrl: 'http://localhost' })
  is<Equal<keyof typeof client, 'find' | 'make' | 'mine' | 'both' | 'zod'>>(true)
  const item = await client.find({ id: 1 })
  await client.find({ id: 1, page: 2 })
  is<Equal<typeof item, { id: string; price: number }>>(true)
  await client.make({ id: 'a', price: 1 })
  await client.mine()
  await client.mine({})
  await client.mine({}, { headers: { 'x-api-key': 'k' } })
  is<Equal<Awaited<ReturnType<typeof client.both>>, boolean>>(true)
  await client.both({ id: 'a', on: false })
  // @ts-expect-error: a field of the path is missing
  await client.find({ page: 1 })
  // @ts-expect-error: no input at all
  await client.find()
  // @ts-expect-error: a field of another type
  await client.find({ id: 'a' })
  // @ts-expect-error: an unknown field
  await client.find({ id: 1, pgae: 1 })
  // @ts-expect-error: a field is missing
  await client.make({ id: 'a' })
  // @ts-expect-error: no input is declared
  await client.mine({ id: 'a' })
  // @ts-expect-error: it has no HTTP door
  client.only
}

async function publisher() {
  await events.publish(shop.made, { id: 'a', price: 1 }, { sequence: 1 })
  await events.publish(shop.sold, { id: 'a', n: '1' })
  // @ts-expect-error: the consumer's side of the transform
  await events.publish(shop.sold, { id: 'a', n: 1 })
  // @ts-expect-error: a field is missing
  await events.publish(shop.made, { id: 'a' })
  // @ts-expect-error: a procedure is not an event
  await events.publish(shop.both, { id: 'a', on: true })
}

void [natsClient, httpClient, publisher]
