/** Runs in a page of another origin than the platform's, without a server between them, and reports what it could read. */
import { profile, session } from '@blog-platform/auth-contract'
import { BLOG_NOT_FOUND, reading } from '@blog-platform/blog-contract'
import { createHttpClient } from 'tsmicro/client'
import { ApiError } from 'tsmicro/contract'

interface Setting {
  readonly platform: string
  readonly apiKey: string
  readonly email: string
  readonly password: string
  readonly slug: string
}

const { platform, apiKey, email, password, slug } = (await (await fetch('/setting')).json()) as Setting
const headers = { 'X-Api-Key': apiKey }
const blogs = createHttpClient(reading, { baseUrl: `${platform}/blog`, headers })
const accounts = createHttpClient(session, { baseUrl: `${platform}/auth`, headers })
const profiles = createHttpClient(profile, { baseUrl: `${platform}/auth`, headers })

const failureOf = (call: Promise<unknown>) => call.then(() => undefined).catch(error => error)
const statusOf = async (call: Promise<unknown>) => {
  const failure = await failureOf(call)
  return failure instanceof ApiError ? failure.status : String(failure)
}

async function run(): Promise<Record<string, unknown>> {
  const seen: string[] = []
  const keep = ({ headers }: { readonly headers: Headers }) =>
    void seen.push(headers.get('x-request-id') === null ? 'hidden' : 'shown')
  const blog = await blogs.findBySlug({ slug }, { onReply: keep })
  const missing = await failureOf(blogs.findBySlug({ slug: 'there-is-none' }, { onReply: keep }))
  const stranger = statusOf(blogs.latest({ page: 1, limit: 1 }, { headers: { 'x-api-key': 'wrong' }, onReply: keep }))
  const { tokens } = await accounts.signIn({ email, password })
  const signedIn = { authorization: `Bearer ${tokens.accessToken}` }
  const changes = { ...signedIn, 'idempotency-key': 'one', 'if-match': '"1"' }
  const changed = await profiles.changeMyProfile({ name: 'Ada of the page' }, { headers: changes })
  await accounts.signOut({}, { headers: signedIn })
  const renew = () => statusOf(accounts.refresh({ refreshToken: 'none' }, { headers: signedIn }))
  const renewals: unknown[] = []
  for (let n = 0; n < 11; n++) renewals.push(await renew())
  // Without a preflight, which no route would answer.
  const nowhere = await fetch(`${platform}/nowhere`)
  const head = await fetch(`${platform}/blog/slug/${slug}`, { method: 'HEAD', headers })
  const keys = await fetch(`${platform}/auth/.well-known/jwks.json`)
  return {
    title: blog.title,
    missing: missing instanceof BLOG_NOT_FOUND,
    stranger: await stranger,
    name: changed.name,
    signedOut: await statusOf(profiles.myProfile({}, { headers: signedIn })),
    renewals: [renewals[0], renewals.at(-1)],
    nowhere: [nowhere.status, ((await nowhere.json()) as { message: string }).message],
    head: [head.status, await head.text()],
    keys: ((await keys.json()) as { keys: unknown[] }).keys.length,
    seen,
  }
}

const report = await run().catch(error => ({ failed: String(error?.stack ?? error) }))
await fetch('/report', { method: 'POST', body: JSON.stringify(report) })
