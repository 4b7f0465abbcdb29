/** The parts a system may need. */
export type InfraName = 'nats' | 'postgres' | 'documents' | 'redis'

/** Those that a system can do without. */
export type OptionalInfraName = 'redis'

/** An address in the running system. URLs of infra parts carry their credentials. */
export interface Address {
  readonly url: string
}

/** What the functions of a configuration are given. Reading a part that the configuration does not list throws. */
export interface System {
  /** Absolute path of the data folder; what a service keeps on disk goes below it. */
  readonly dataDir: string
  /** Without user and password where the configuration names users: see {@link System.natsAs}. */
  readonly nats: Address
  /** NATS as one of the users that the configuration names. URL with user and password. */
  natsAs(user: string): Address
  /** URL with user, password and database. */
  readonly postgres: Address
  /** URL with user and password, without a database: see `databaseUrl`. */
  readonly documents: Address
  /** Undefined when there is none: neither `REDIS_URL` nor a `redis-server` of 6.2 or later on PATH. */
  readonly redis: Address | undefined
  readonly gateway: Address
  /** Every service by its name, whether or not it is ready yet; of several instances the first. */
  readonly services: Readonly<Record<string, Address>>
}

/** One service: a process of its own that answers `GET /health/ready` with 200 when it is ready. */
export interface ServiceConfig {
  /** Its main program, relative to the configuration file. */
  readonly entry: string
  /** Port it (or its first instance) prefers, and the port by which `kong.yml` knows it. A free one is taken when somebody else has it. */
  readonly port: number
  /** Host name by which `kong.yml` knows it. Default: the service's name. */
  readonly host?: string
  /**
   * Names of variables that it is given from the environment of `tsmicro start`, where they are set: its settings. Without a name
   * it gets what every program needs (`PATH`, `HOME`, `TZ` …) and `LOG_LEVEL`, and nothing else of the developer's.
   * @example passEnv: Object.keys(EnvSchema.properties)
   */
  readonly passEnv?: readonly string[]
  /** Environment on top of that, `NODE_ENV`, `HOST` and `PORT`. */
  readonly env?: (system: System) => Readonly<Record<string, string>>
}

/** Users of the embedded NATS server. Without them there is one who may do everything, and `system.nats.url` comes as him. */
export interface NatsConfig {
  /** Names; each gets a random password, kept in the data folder. */
  readonly users: readonly string[]
  /** The `authorization` block of nats-server's configuration. */
  readonly authorization: (passwordOf: (user: string) => string) => string
}

/** The gateway: a program that understands `--config --port --host --resolve` and, where there are replicas, `--admin-port --admin-token-file`. */
export interface GatewayConfig {
  readonly entry: string
  /** The `kong.yml` to run. */
  readonly config: string
  /** The one for `--replicas 2` and more: its upstreams have the targets `HOST-1:PORT`, `HOST-2:PORT` … of each service. */
  readonly loadBalancedConfig?: string
  /** Names of variables that it is given from the environment of `tsmicro start`: see {@link ServiceConfig.passEnv}. */
  readonly passEnv?: readonly string[]
  /** Environment on top of that and `NODE_ENV`. */
  readonly env?: (system: System) => Readonly<Record<string, string>>
}

/** A program of the system that an operator runs by its name: `tsmicro NAME …`, in development and on a production database. */
interface CommandConfig {
  /** Its main program, relative to the configuration file. Gets everything that stands behind the name, `--help` included. */
  readonly entry: string
  /** One line for `tsmicro --help`. */
  readonly description: string
  /** Environment where the caller's says nothing. */
  readonly env?: Readonly<Record<string, string>>
}

/** A system for development, as `tsmicro.config.ts` describes it. Paths are relative to that file. */
export interface SystemConfig {
  readonly infra: readonly InfraName[]
  /** Parts to use where they can be had, and to go without elsewhere. Nothing of them is kept from one start to the next. */
  readonly optionalInfra?: readonly OptionalInfraName[]
  readonly nats?: NatsConfig
  /** PostgreSQL database to make. Default `app`. */
  readonly database?: string
  readonly services: Readonly<Record<string, ServiceConfig>>
  readonly gateway?: GatewayConfig
  /** Programs by the name that `tsmicro` runs them by. */
  readonly commands?: Readonly<Record<string, CommandConfig>>
  /** Rows for the table that is shown when everything is ready. */
  readonly summary?: (system: System) => readonly (readonly [label: string, value: string])[]
  /** A command to try, shown below the table. Default: a `curl` of the gateway's address. */
  readonly sample?: (system: System) => string
  /** Longest wait for each service, in milliseconds. Default 60 000. */
  readonly readyTimeoutMs?: number
}
