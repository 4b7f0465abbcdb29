/** What the page shows, as the server sends it. Data alone: the page does not load the contracts. */
export interface Catalogue {
  readonly services: readonly ServiceEntry[]
  /** Whether requests go through a gateway, which checks API keys. */
  readonly hasGateway: boolean
  readonly signIn?: SignIn | undefined
}

/** The procedure that signs users in, and where its answer has the access token. */
export interface SignIn {
  /** Such as `auth.signIn`. */
  readonly procedure: string
  /** The token's place in the answer's data, such as `tokens.accessToken`. */
  readonly token: string
}

export interface ServiceEntry {
  readonly name: string
  readonly procedures: readonly ProcedureEntry[]
  readonly events: readonly EventEntry[]
}

export interface ProcedureEntry {
  /** Unique: `blog.findById`. */
  readonly id: string
  readonly name: string
  readonly summary?: string | undefined
  /** Who may call it, in words. */
  readonly access: string
  readonly needsUser: boolean
  readonly http?: HttpDoor | undefined
  readonly nats?: NatsDoor | undefined
  /** The fields of the input. */
  readonly input?: JsonSchema | undefined
  /** An input that matches, where one was found. */
  readonly example?: unknown
  readonly files: readonly FileEntry[]
  /** Of a stream, the schema of one item. */
  readonly output?: JsonSchema | undefined
  readonly answer: 'json' | 'stream' | 'file'
  readonly errors: readonly ErrorEntry[]
}

interface HttpDoor {
  readonly method: string
  /** As the service knows it. */
  readonly path: string
  /** As clients write it: behind a gateway, below the service's name. */
  readonly publicPath: string
  /** Fields that come in the path. */
  readonly params: readonly string[]
  /** Fields that come in the query although there is a body. */
  readonly query: readonly string[]
  readonly body: 'none' | 'json' | 'form' | 'file'
  /** Why the explorer cannot call it; undefined if it can. */
  readonly refused?: string | undefined
}

interface NatsDoor {
  readonly subject: string
  readonly refused?: string | undefined
}

interface FileEntry {
  readonly name: string
  readonly types: readonly string[]
  readonly isOptional: boolean
  readonly isMultiple: boolean
}

interface ErrorEntry {
  readonly code: string
  readonly status: number
  readonly message: string
  readonly data?: JsonSchema | undefined
}

export interface EventEntry {
  readonly subject: string
  readonly version: number
  readonly aggregate: string
  readonly summary?: string | undefined
  readonly data: JsonSchema
}

export type JsonSchema = { readonly [keyword: string]: unknown }

/** The outcome of a call over NATS. */
export interface NatsAnswer {
  /** As over HTTP: 200, or that of the failure. */
  readonly status: number
  readonly requestId: string
  readonly ms: number
  readonly data?: unknown
  /** Of a failure. */
  readonly error?: string
  readonly message?: string
}
