import Type from 'typebox'

/*
 * The part of the Compose Specification that deploy/ uses, closed: an element that is not listed here is refused, whether it is
 * misspelt or merely new to these files (then add it here, from https://github.com/compose-spec/compose-spec, schema/compose-spec.json).
 */

const closed = { additionalProperties: false }
const Text = Type.String({ minLength: 1 })
const Name = '^[a-zA-Z0-9._-]+$'
const Names = Type.Array(Type.String({ pattern: Name }), { uniqueItems: true })
/** The specification takes lists of `NAME=value` too; here a mapping, so that a name stands there once. */
const Environment = Type.Record(Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }), Type.String())
const Duration = Type.String({ pattern: '^([0-9]+(us|ms|s|m|h))+$' })
const Command = Type.Array(Text, { minItems: 1 })

const HealthCheck = Type.Union([
  Type.Object({ disable: Type.Literal(true) }, closed),
  Type.Object(
    {
      test: Type.Array(Text, { minItems: 2 }),
      interval: Duration,
      timeout: Duration,
      retries: Type.Integer({ minimum: 1 }),
      start_period: Type.Optional(Duration),
    },
    closed,
  ),
])

const DependsOn = Type.Record(
  Type.String({ pattern: Name }),
  Type.Object(
    {
      condition: Type.Union([
        Type.Literal('service_started'),
        Type.Literal('service_healthy'),
        Type.Literal('service_completed_successfully'),
      ]),
    },
    closed,
  ),
)

const Limits = Type.Object(
  {
    cpus: Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?$' }),
    memory: Type.String({ pattern: '^[0-9]+(b|k|m|g|kb|mb|gb)$' }),
  },
  closed,
)

export const ComposeService = Type.Object(
  {
    image: Text,
    build: Type.Optional(
      Type.Object({ context: Text, dockerfile: Text, args: Type.Optional(Type.Record(Text, Text)) }, closed),
    ),
    user: Type.Optional(Text),
    init: Type.Optional(Type.Boolean()),
    restart: Type.String({ pattern: '^(no|always|unless-stopped|on-failure(:[0-9]+)?)$' }),
    cap_drop: Type.Optional(Type.Array(Text, { uniqueItems: true })),
    security_opt: Type.Optional(Type.Array(Text, { uniqueItems: true })),
    profiles: Type.Optional(Names),
    networks: Type.Union([
      Names,
      Type.Record(Type.String({ pattern: Name }), Type.Object({ aliases: Type.Optional(Names) }, closed)),
    ]),
    ports: Type.Optional(Type.Array(Type.String({ pattern: '^([0-9.]+:)?[0-9]+:[0-9]+$' }), { uniqueItems: true })),
    entrypoint: Type.Optional(Command),
    command: Type.Optional(Command),
    environment: Type.Optional(Environment),
    volumes: Type.Optional(Type.Array(Type.String({ pattern: '^[^:]+:/[^:]+(:ro)?$' }), { uniqueItems: true })),
    secrets: Type.Optional(Names),
    healthcheck: HealthCheck,
    depends_on: Type.Optional(DependsOn),
    stop_signal: Type.Optional(Type.String({ pattern: '^SIG[A-Z]+$' })),
    stop_grace_period: Type.Optional(Duration),
    deploy: Type.Object({ resources: Type.Object({ limits: Limits }, closed) }, closed),
  },
  closed,
)
export type ComposeService = Type.Static<typeof ComposeService>

/** A file with its aliases and merge keys resolved, and without its `x-` parts, which the specification does not read. */
export const ComposeFile = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9_-]*$' }),
    services: Type.Record(Type.String({ pattern: Name }), ComposeService),
    networks: Type.Record(
      Type.String({ pattern: Name }),
      Type.Object({ internal: Type.Optional(Type.Boolean()) }, closed),
    ),
    volumes: Type.Record(Type.String({ pattern: Name }), Type.Object({}, closed)),
    secrets: Type.Record(Type.String({ pattern: Name }), Type.Object({ file: Text }, closed)),
  },
  closed,
)
export type ComposeFile = Type.Static<typeof ComposeFile>
