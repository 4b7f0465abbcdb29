/** Runs in a browser's page, and reports its results to the server. */
import { profile, session } from '@blog-platform/auth-contract'
import { BLOG_NOT_FOUND, reading } from '@blog-platform/blog-contract'
import { createHttpClient } from 'tsmicro/client'
import { ApiError, frameworkErrors } from 'tsmicro/contract'

interface Setting {
  readonly apiKey: string
  readonly email: string
  readonly password: string
  readonly slug: string
}

const { apiKey, email, password, slug } = (await (await fetch('/setting')).json()) as Setting
const headers = { 'X-Api-Key': apiKey }
// The page is /app/: one is relative to its origin, the other to itself.
const blogs = createHttpClient(reading, { baseUrl: '/api/blog', headers })
const accounts = createHttpClient(session, { baseUrl: '../api/auth/', headers })

const first = { page: 1, limit: 10 }

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'it did not fail',
    error => error,
  )
}

async function run(): Promise<Record<string, unknown>> {
  const blog = await blogs.findBySlug({ slug })
  const latest = await blogs.latest(first)
  const { tokens } = await accounts.signIn({ email, password })
  const mine = await createHttpClient(profile, { baseUrl: '/api/auth', headers }).myProfile(undefined, {
    headers: { authorization: `Bearer ${tokens.accessToken}` },
  })
  const missing = await failureOf(blogs.findBySlug({ slug: 'there-is-none' }))
  const invalid = await failureOf(accounts.signUp({ email, password: 'x', name: 'Ada' }))
  const stranger = await failureOf(blogs.latest(first, { headers: { 'x-api-KEY': 'wrong' } }))
  const nobody = await failureOf(createHttpClient(reading, { baseUrl: 'http://127.0.0.1:1' }).latest(first))
  const leaving = new AbortController()
  const reason = new Error('enough')
  const left = failureOf(blogs.latest(first, { signal: leaving.signal, headers: { 'x-hold': 'yes' } }))
  await fetch('/held')
  leaving.abort(reason)
  return {
    title: blog.title,
    latest: latest.map(each => each.slug),
    mine: mine.email,
    missing: missing instanceof BLOG_NOT_FOUND && missing instanceof ApiError && [missing.code, missing.status],
    invalid: invalid instanceof frameworkErrors.VALIDATION_FAILED && invalid.data.map(({ path }) => path),
    stranger: stranger instanceof ApiError && stranger.status,
    nobody: nobody instanceof frameworkErrors.SERVICE_UNAVAILABLE,
    abort: (await left) === reason,
  }
}

const report = await run().catch(error => ({ failed: String(error?.stack ?? error) }))
await fetch('/report', { method: 'POST', body: JSON.stringify(report) })
