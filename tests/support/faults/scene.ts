import { bearer, type Contents, publish } from '../contents.ts'
import { startPatientGateway } from '../patient-gateway.ts'
import { type Platform, type PlatformOptions, startPlatform } from '../platform.ts'
import { type Answer, send } from '../send.ts'
import { Ledger } from './ledger.ts'

export const PASSWORD = 'correct horse'

/** Wrong passwords are part of the traffic, and must not cause sign-ins to be throttled. */
const UNTHROTTLED = String(1_000_000)
const ENVIRONMENT = {
  CACHE_TTL_SECONDS: '3600',
  SIGN_IN_ATTEMPTS_PER_ACCOUNT_AND_ADDRESS: UNTHROTTLED,
  SIGN_IN_ATTEMPTS_PER_ACCOUNT: UNTHROTTLED,
  SIGN_IN_ATTEMPTS_PER_ADDRESS: UNTHROTTLED,
}

/** A platform with something to read, users who write, and a record of the answers they got. */
export interface FaultScene extends AsyncDisposable {
  readonly platform: Platform
  /** URL of a gateway that remembers API keys for the whole test. */
  readonly url: string
  readonly withKey: { readonly 'x-api-key': string }
  readonly contents: Contents
  /** Headers of the author, of a user who changes their name, and of a user who renews their tokens. */
  readonly asAuthor: Readonly<Record<string, string>>
  readonly member: Member
  readonly refresher: Member
  readonly drafts: Ledger
  readonly signUps: Ledger
  readonly names: Ledger
}

export interface Member {
  readonly email: string
  readonly id: string
  tokens: { readonly accessToken: string; readonly refreshToken: string }
}

export async function startFaultScene(options: Pick<PlatformOptions, 'redis'> = {}): Promise<FaultScene> {
  await using resources = new AsyncDisposableStack()
  const platform = resources.use(await startPlatform({ ...options, env: ENVIRONMENT }))
  const { url } = await startPatientGateway(resources, platform)
  const withKey = { 'x-api-key': platform.apiKey }
  const contents = await publish(platform, 2)
  const [member, refresher] = await Promise.all(
    (['member@example.com', 'refresher@example.com'] as const).map(async (email): Promise<Member> => {
      const { data } = await signUp(url, withKey, email)
      return { email, id: (data.user as { id: string }).id, tokens: data.tokens as Member['tokens'] }
    }),
  )
  if (!member || !refresher) throw new Error('unreachable: there are two')
  const owned = resources.move()
  return {
    platform,
    url,
    withKey,
    contents,
    asAuthor: { ...withKey, ...bearer(contents.author) },
    member,
    refresher,
    drafts: new Ledger(),
    signUps: new Ledger(),
    names: new Ledger(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

export function signUp(
  url: string,
  headers: FaultScene['withKey'],
  email: string,
  password = PASSWORD,
): Promise<Answer> {
  return send(url, 'POST /auth/signup/basic', { headers, json: { email, password, name: 'Somebody' } })
}

export function signIn(url: string, headers: FaultScene['withKey'], email: string, password: string): Promise<Answer> {
  return send(url, 'POST /auth/signin/basic', { headers, json: { email, password } })
}
