/** The parts that a system may need. */
export type InfraName = 'nats' | 'postgres' | 'documents' | 'redis'

/** The parts that a system can do without. */
export type OptionalInfraName = 'redis'

/** An address in the running system. The URLs of infra parts contain credentials. */
export interface Address {
  readonly url: string
}

/** The system as the functions of a configuration see it. Reading a part that the configuration does not list throws. */
export interface System {
  /** The absolute path of the data folder. A service stores its files below it. */
  readonly dataDir: string
  /** Without user and password if the configuration names users: see {@link System.natsAs}. */
  readonly nats: Address
  /** NATS for one of the users that the configuration names. The URL contains user and password. */
  natsAs(user: string): Address
  /** The URL contains user, password and database. */
  readonly postgres: Address
  /**
   * A database of a service's own. It is created, if it is missing, before the services start, and if a service's `env` asks for it.
   * @param name lower-case letters, digits and `_`
   */
  postgresDatabase(name: string): Address
  /** The URL contains user and password, but no database: see {@link System.mongoDatabase}. */
  readonly documents: Address
  /** A MongoDB database of a service's own. It exists from its first document on. */
  mongoDatabase(name: string): Address
  /** Undefined if there is neither `REDIS_URL` nor a `redis-server` of version 6.2 or later on PATH. */
  readonly redis: Address | undefined
  readonly gateway: Address
  /** Every service by its name, whether it is ready or not. If there are several instances, the first. */
  readonly services: Readonly<Record<string, Address>>
}

/** A service, which runs in its own process and answers `GET /health/ready` with 200 when it is ready. */
export interface ServiceConfig {
  /** Its main program, relative to the configuration file. */
  readonly entry: string
  /** The module that exports its contracts. `tsmicro generate` makes its routes from it. */
  readonly contract?: string
  /** Where `tsmicro contracts` records what its contracts promise. */
  readonly recorded?: string
  /** The port of the service (or of its first instance), also in `kong.yml`. If it is taken, the service gets a free one. */
  readonly port: number
  /** The host name of the service in `kong.yml`. Default: the service's name. */
  readonly host?: string
  /**
   * The names of variables, the service's settings, that are passed on from the environment of `tsmicro start`. Besides them the
   * service gets only what every program needs (`PATH`, `HOME`, `TZ` …) and `LOG_LEVEL`.
   * @example passEnv: Object.keys(EnvSchema.properties)
   */
  readonly passEnv?: readonly string[]
  /** More variables, in addition to these, `NODE_ENV`, `HOST` and `PORT`. */
  readonly env?: (system: System) => Readonly<Record<string, string>>
}

/** The users of the embedded NATS server. Without them there is one that may do everything, the one in `system.nats.url`. */
export interface NatsConfig {
  /** Their names. Each gets a random password, which is stored in the data folder. */
  readonly users: readonly string[]
  /** The one as which `tsmicro events` asks services about their events. */
  readonly operator?: string
  /** The one as which people may ask which services there are: the table shows the command. */
  readonly observer?: string
  /** The `authorization` block of nats-server's configuration. */
  readonly authorization: (passwordOf: (user: string) => string) => string
}

/** The gateway, a program with the options `--config --port --host --resolve` and, for replicas and `tsmicro dev`, `--admin-port --admin-token-file`. */
export interface GatewayConfig {
  readonly entry: string
  /** The `kong.yml` to run. */
  readonly config: string
  /** The `kong.yml` for `--replicas 2` and more. Its upstreams have the targets `HOST-1:PORT`, `HOST-2:PORT` … of each service. */
  readonly loadBalancedConfig?: string
  /** The names of variables that are passed on from the environment of `tsmicro start`: see {@link ServiceConfig.passEnv}. */
  readonly passEnv?: readonly string[]
  /** More variables, in addition to these and `NODE_ENV`. */
  readonly env?: (system: System) => Readonly<Record<string, string>>
}

/** A program of the system that an operator runs by its name, `tsmicro NAME …`, in development and on a production database. */
interface CommandConfig {
  /** Its main program, relative to the configuration file. It gets everything after the name, including `--help`. */
  readonly entry: string
  /** One line for `tsmicro --help`. */
  readonly description: string
  /** Variables for what the caller's environment does not set. */
  readonly env?: Readonly<Record<string, string>>
}

/** A module that exports contracts, and the file in which `tsmicro contracts` records what they promise. */
export interface ContractsConfig {
  readonly entry: string
  readonly recorded: string
}

/** What the explorer cannot know from the contracts. */
interface ExplorerConfig {
  /** How users sign in. Without it, they paste an access token. */
  readonly signIn?: {
    /** The procedure that does it: `auth.signIn`. */
    readonly procedure: string
    /** Where its answer's data has the access token: `tokens.accessToken`. */
    readonly token: string
  }
}

type Rows = readonly (readonly [label: string, value: string])[]

/** A system for development, as described in `tsmicro.config.ts`. Paths are relative to that file. */
export interface SystemConfig {
  readonly infra: readonly InfraName[]
  /** Parts that are used if they are available. They keep no data from one start to the next. */
  readonly optionalInfra?: readonly OptionalInfraName[]
  readonly nats?: NatsConfig
  /** The PostgreSQL database to create. Default `app`. */
  readonly database?: string
  /** What to do once the infrastructure is ready, before the services start. */
  readonly prepare?: (system: System) => Promise<void>
  readonly services: Readonly<Record<string, ServiceConfig>>
  readonly gateway?: GatewayConfig
  /** What `tsmicro contracts` compares and records, in addition to the contracts of the services. */
  readonly contracts?: readonly ContractsConfig[]
  /** The page that shows the procedures in all contracts, and calls them. Over NATS it is the user `explorer`, if `nats` names one. */
  readonly explorer?: ExplorerConfig
  /**
   * Modules that make more files for `tsmicro generate`. Each exports `generate`, which gets a `GeneratorInput` and returns files
   * (`GeneratedFile`): see `@tsmicro/cli/generate`.
   */
  readonly generators?: readonly string[]
  /** Names the breaks that were wanted. Default `CHANGELOG.md`. */
  readonly changelog?: string
  /** The programs that `tsmicro` runs, by name. */
  readonly commands?: Readonly<Record<string, CommandConfig>>
  /** Rows for the table that is shown when everything is ready. */
  readonly summary?: (system: System) => Rows | Promise<Rows>
  /** A command to try, shown below the table. Default: a `curl` of the gateway's address. */
  readonly sample?: (system: System) => string | Promise<string>
  /** How long to wait for each service, in milliseconds. Default 60 000. */
  readonly readyTimeoutMs?: number
}
