import * as auth from '@blog-platform/auth-contract'
import * as blog from '@blog-platform/blog-contract'
import { asyncApiOf, contractsIn } from 'tsmicro/internal'

/** As much of a document as the tests read. */
export interface AsyncDocument {
  readonly channels: Readonly<Record<string, Channel>>
  readonly operations: Readonly<Record<string, AsyncOperation>>
}

interface Channel {
  readonly address: string | null
  readonly messages: Readonly<Record<string, Message>>
}

interface Message {
  readonly payload: object
  readonly headers?: { readonly required?: readonly string[]; readonly properties: object }
  readonly examples?: readonly { readonly payload: unknown }[]
}

interface AsyncOperation {
  readonly action: 'send' | 'receive'
  readonly channel: { readonly $ref: string }
  readonly security?: readonly object[]
  readonly reply?: object
}

/** The AsyncAPI documents of the platform's services. */
export function asyncDocuments(): readonly (readonly [string, AsyncDocument])[] {
  return Object.entries({ auth, blog }).map(([title, exported]) => {
    const info = { title, version: '0.1.0', license: 'MIT' }
    return [title, asyncApiOf(info, contractsIn(exported)) as unknown as AsyncDocument]
  })
}
