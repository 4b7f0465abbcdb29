import type { NatsClient } from 'tsmicro'
import { createPublisher, implement } from 'tsmicro'
import type { Client, HttpClient } from 'tsmicro/client'
import { contract, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'

type Slug = string & { readonly brand: 'slug' }
interface Row {
  readonly id: string
  readonly tags: readonly string[]
}
const Tagged = Type.Object({ id: Type.String(), tags: Type.Array(Type.String()) })
const shop = contract('shop', {
  tag: procedure({ http: 'POST /tag', nats: 'tag', access: 'open', input: Tagged, output: Tagged }),
  label: procedure({
    http: 'POST /label',
    nats: 'label',
    access: 'open',
    input: z.object({ tags: z.array(z.string()) }),
  }),
  slug: procedure({
    http: 'POST /slug',
    nats: 'slug',
    access: 'open',
    input: Type.Unsafe<Slug>(Type.String()),
    output: Type.Unsafe<Slug>(Type.String()),
  }),
  tagged: event({ subject: 'item.tagged', aggregate: 'id', data: Tagged }),
})
declare const row: Row
declare const slug: Slug
declare const signal: AbortSignal | undefined
declare const http: HttpClient<typeof shop>
declare const nats: NatsClient

implement(shop, { tag: () => row, label: () => {}, slug: ({ input }) => input })

/** Interfaces and read-only lists are taken as they are; branded texts stay branded; a signal may be undefined. */
async function call(): Promise<Slug> {
  const clients: readonly Client<typeof shop>[] = [http, nats.client(shop)]
  for (const client of clients) {
    await client.tag(row, { signal })
    await client.label(row)
    // @ts-expect-error a text without the brand
    await client.slug('x')
  }
  await http.tag(row, { signal })
  await nats.client(shop).tag(row, { signal, timeoutMs: undefined })
  await createPublisher(nats, 'shop').publish(shop.tagged, row)
  return http.slug(slug)
}
void call
