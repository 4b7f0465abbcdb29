import { loadEnv as authEnv, createAuthService } from '@blog-platform/auth-service'
import { loadEnv as blogEnv, createBlogService } from '@blog-platform/blog-service'
import type { Service } from 'tsmicro'
import { createLogger } from 'tsmicro/telemetry'

/** As much of a document as the tests read. */
export interface Document {
  readonly info: { readonly license?: { readonly name: string; readonly identifier: string } }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

export interface Operation {
  readonly operationId: string
  readonly security: readonly object[]
  readonly parameters: readonly { readonly in: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, Response>>
}

interface Response {
  readonly description: string
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
}

export type Schema = Readonly<Record<string, unknown>>

const log = createLogger({ name: 'openapi', level: 'silent' })
const common = { NODE_ENV: 'test', NATS_URL: 'nats://127.0.0.1:1' }

/** The documents of the platform's services, which need not run for it. */
export async function documents(): Promise<Readonly<Record<'auth' | 'blog', Document>>> {
  const postgres = { DATABASE_URL: 'postgres://auth@127.0.0.1:1/auth', KEYS_DIR: 'keys' }
  const mongodb = { MONGODB_URL: 'mongodb://127.0.0.1:1/blog', COVERS_DIR: 'covers' }
  const [auth, blog] = await Promise.all([
    documentOf(createAuthService(authEnv({ ...common, ...postgres }), log)),
    documentOf(createBlogService(blogEnv({ ...common, ...mongodb }), { log })),
  ])
  return { auth, blog }
}

async function documentOf(service: Service): Promise<Document> {
  const document = (await service.inject({ url: '/openapi.json' })).json<Document>()
  await service.stop()
  return document
}
