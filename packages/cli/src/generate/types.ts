import type { NatsPermissions } from 'tsmicro/contract'
import type { SystemConfig } from '../config-types.ts'
import type { PublicService } from './kong/public-routes.ts'

/** A file as it ought to be. */
export interface GeneratedFile {
  /** Relative to the folder of the configuration. */
  readonly path: string
  readonly text: string
}

/** What a service's program says of itself. */
export interface ServiceDescription {
  readonly service: string
  /** The least that its NATS user needs. */
  readonly permissions: NatsPermissions
  /** The streams of its events. */
  readonly streams: readonly object[]
  /** The variables that the configuration gives it, with the addresses of servers that are not there. */
  readonly env: Readonly<Record<string, string>>
}

/** What the generators of a system get. */
export interface GeneratorInput {
  /** The folder of the configuration. */
  readonly root: string
  readonly config: SystemConfig
  /** The services whose contracts the configuration names. */
  readonly services: readonly PublicService[]
  /** Runs every service's program as far as it knows what it does, and no further. Only once, however often it is called. */
  describe(): Promise<readonly ServiceDescription[]>
}

/** What a module in `generators` exports as `generate`. */
export type Generate = (input: GeneratorInput) => Promise<readonly GeneratedFile[]> | readonly GeneratedFile[]
