import Type from 'typebox'
import { ConfigError } from './load.ts'
import { secret } from './variable.ts'

const gatewaySecret = (description: string) =>
  Type.Optional(secret(Type.String({ minLength: 32, description: `${description}; needed with REQUIRE_GATEWAY` })))

/**
 * The variables that every service behind a gateway has, to be spread into its own schema. A service needs `VERIFY_SECRET` only
 * if it has `internal` procedures over HTTP.
 *
 * @example
 * const { VERIFY_SECRET, ...common } = serviceEnv
 * const Env = Type.Object({ ...common, PORT: Type.Integer({ default: 8003 }) })
 * loadConfig(Env, { NODE_ENV: 'test' }).HOST // '127.0.0.1'
 */
export const serviceEnv = {
  NODE_ENV: Type.Union([Type.Literal('production'), Type.Literal('development'), Type.Literal('test')], {
    default: 'production',
    description: 'Strict rules apply in production, convenient ones in development and test',
  }),
  HOST: Type.String({
    minLength: 1,
    default: '127.0.0.1',
    description: 'Address to listen on; 0.0.0.0 in a container',
  }),
  LOG_LEVEL: Type.Union(
    [
      Type.Literal('trace'),
      Type.Literal('debug'),
      Type.Literal('info'),
      Type.Literal('warn'),
      Type.Literal('error'),
      Type.Literal('fatal'),
      Type.Literal('silent'),
    ],
    { default: 'info', description: 'Least severe level to log' },
  ),
  REQUEST_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 60_000,
    description: 'The longest time spent on one request, including its queries; then the caller gets 504',
  }),
  REQUIRE_GATEWAY: Type.Optional(
    Type.Boolean({
      description: 'Accept only requests that the gateway has signed; true in production unless set to false',
    }),
  ),
  GATEWAY_SECRET: gatewaySecret('The secret with which the gateway signs requests, the same as there'),
  VERIFY_SECRET: gatewaySecret('The secret that the gateway presents when it asks about API keys, the same as there'),
}

/**
 * What requests have to prove, as the option `http.gateway` of a service; undefined means nothing. Secrets that are set are
 * checked even where the gateway is not required.
 * @param needed the secrets without which the gateway cannot be required
 * @throws {ConfigError} if one of these is missing although the gateway is required
 * @example
 * gatewayDoor({ NODE_ENV: 'development' }, ['GATEWAY_SECRET']) // undefined
 * const GATEWAY_SECRET = 'a secret of at least 32 characters'
 * gatewayDoor({ NODE_ENV: 'production', GATEWAY_SECRET }, ['GATEWAY_SECRET'])?.secret // 'a secret of at least 32 characters'
 */
export function gatewayDoor(
  env: {
    readonly NODE_ENV: string
    readonly REQUIRE_GATEWAY?: boolean | undefined
    readonly GATEWAY_SECRET?: string | undefined
    readonly VERIFY_SECRET?: string | undefined
  },
  needed: readonly ('GATEWAY_SECRET' | 'VERIFY_SECRET')[],
): { readonly secret: string; readonly verifySecret?: string; readonly required?: boolean } | undefined {
  const { GATEWAY_SECRET: secret, VERIFY_SECRET: verifySecret } = env
  const required = env.REQUIRE_GATEWAY ?? env.NODE_ENV === 'production'
  const missing = required ? needed.filter(variable => env[variable] === undefined) : []
  if (missing.length > 0) throw new ConfigError(missing.map(variable => ({ variable, message: MISSING })))
  if (secret === undefined) return undefined
  return { secret, ...(verifySecret === undefined ? {} : { verifySecret }), ...(required ? {} : { required }) }
}

const MISSING = 'is missing: set it here and at the gateway, or set REQUIRE_GATEWAY=false and close the port to others'
