/** Signatures that users write: every type that comes back from an entry can be named. Checked by tsc alone. */
import type { Broadcast, NatsClient } from 'tsmicro'
import type { KeyRing, PublishedKeySet } from 'tsmicro/auth'
import type { HttpClient } from 'tsmicro/client'
import type {
  AnswerOf,
  ErrorClass,
  EventDataOf,
  EventDefinition,
  Infer,
  InferInput,
  InputOf,
  Procedure,
  RequestOf,
  ResponseOf,
  Role,
  Roles,
  ValidationDetail,
} from 'tsmicro/contract'
import { contract, defineErrors, defineRoles, event, frameworkErrors, procedure } from 'tsmicro/contract'
import type { Field, Mongo, Page, Selected } from 'tsmicro/mongo'
import Type from 'typebox'
import { z } from 'zod'

const roles: Roles<['READER', 'WRITER']> = defineRoles('READER', 'WRITER')
roles.READER satisfies Role<'READER'>
const errors = defineErrors({
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Number() }) },
})
errors.SOLD_OUT satisfies ErrorClass<'SOLD_OUT', { left: number }>
new frameworkErrors.VALIDATION_FAILED([]).data satisfies readonly ValidationDetail[]

const Price = z.object({ price: z.string().transform(Number) })
const priced = procedure({ nats: 'priced', access: 'internal', input: Price, output: Price })
priced satisfies Procedure
const handler = ({ price }: InputOf<typeof priced>): AnswerOf<typeof priced> => ({ price: String(price) })
const cached = (ask: (data: RequestOf<typeof priced>) => Promise<ResponseOf<typeof priced>>) => ask({ price: '12' })
const paid = event({ subject: 'item.paid', aggregate: 'price', data: Price })
paid satisfies EventDefinition
const total = (told: readonly EventDataOf<typeof paid>[]): number => told.reduce((sum, { price }) => sum + price, 0)
const spelled = (price: InferInput<typeof Price>): Infer<typeof Price> => ({ price: Number(price.price) })

interface Blog {
  readonly _id: string
  readonly slug: string
  readonly title: string
}

/** A repository as a service has it. */
class Blogs {
  readonly #blogs
  constructor(mongo: Mongo) {
    this.#blogs = mongo.collection<Blog>('blogs')
  }
  bySlug(slug: string): Promise<Selected<Blog, Field<Blog>> | null> {
    return this.#blogs.findOne({ slug })
  }
  page(page: number): Promise<Page<Selected<Blog, 'title'>>> {
    return this.#blogs.findPaginated({ filter: {}, sort: { slug: 1 }, page, limit: 10, select: ['title'] })
  }
}

const shop = contract('shop', {
  list: procedure({ http: 'GET /list', access: 'key', output: Type.Array(Type.String()) }),
})
const listed = (client: HttpClient<typeof shop>): Promise<string[]> => client.list({})
const published = (ring: KeyRing): PublishedKeySet => ring.jwks()
const told = (bus: Broadcast, nats: NatsClient): void => bus.send(nats.name)
void [handler, cached, total, spelled, Blogs, listed, published, told]
