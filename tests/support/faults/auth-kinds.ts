import { randomUUID } from 'node:crypto'
import { bearer } from '../contents.ts'
import { type Sent, send } from '../send.ts'
import type { Kind } from './kind.ts'
import { readiness } from './readiness.ts'
import { type FaultScene, type Member, PASSWORD, signIn, signUp } from './scene.ts'

/** Argon2 is expensive on purpose. */
const HARD = { pauseMs: 1500 }

/** Requests to the auth service. Its answers must not depend on announcing events over NATS. */
export function authKinds({ platform, url, withKey, member, refresher, signUps, names }: FaultScene): readonly Kind[] {
  const asMember = { ...withKey, ...bearer(member.tokens) }
  const needs = ['postgres'] as const
  const profile = (route: string, json?: object) => send(url, route, { headers: asMember, ...(json ? { json } : {}) })
  const verify = (route: string, sent: Sent) => send(platform.authUrl, route, sent)
  return [
    { name: 'auth readiness', needs: ['nats', 'postgres'], ...readiness(platform.authUrl) },
    {
      name: 'key check, as the gateway asks',
      normal: 200,
      needs,
      ask: () => verify('GET /verify/apikey', { headers: withKey }),
    },
    {
      name: 'key check, as others ask',
      normal: 200,
      needs,
      ask: () => verify('POST /verify/apikey', { json: { key: platform.apiKey } }),
    },
    { name: 'auth health', normal: 200, needs: [], ask: () => send(url, 'GET /auth/health') },
    { name: 'public keys', normal: 200, needs: [], ask: () => profile('GET /auth/.well-known/jwks.json') },
    { name: 'no API key', normal: 401, needs: [], ask: () => send(url, 'GET /blog/list/latest') },
    {
      name: 'unknown API key',
      normal: 401,
      needs,
      ask: () => send(url, 'GET /blog/list/latest', { headers: { 'x-api-key': randomUUID() } }),
    },
    { name: 'sign in', normal: 200, needs, ...HARD, ask: () => signIn(url, withKey, member.email, PASSWORD) },
    { name: 'wrong password', normal: 401, needs, ...HARD, ask: () => signIn(url, withKey, member.email, 'battery') },
    {
      name: 'unknown e-mail',
      normal: 401,
      needs,
      ...HARD,
      ask: () => signIn(url, withKey, `${randomUUID()}@example.com`, PASSWORD),
    },
    {
      name: 'sign up',
      normal: 200,
      needs,
      ...HARD,
      ask: () => {
        const email = `${randomUUID()}@example.com`
        return signUps.note(email, signUp(url, withKey, email))
      },
    },
    {
      name: 'sign up, too short a password',
      normal: 400,
      needs: [],
      ask: () => {
        const email = `${randomUUID()}@example.com`
        return signUps.note(email, signUp(url, withKey, email, 'short'))
      },
    },
    { name: 'sign up, e-mail taken', normal: 409, needs, ...HARD, ask: () => signUp(url, withKey, member.email) },
    { name: 'refresh', normal: 200, needs, inOrder: true, ask: () => refresh(url, withKey, refresher) },
    { name: 'own profile', normal: 200, needs, ask: () => profile('GET /auth/profile/mine') },
    { name: 'somebody’s profile', normal: 200, needs, ask: () => profile(`GET /auth/profile/id/${member.id}`) },
    {
      name: 'rename oneself',
      normal: 200,
      needs,
      inOrder: true,
      ask: () => {
        const name = `Somebody ${randomUUID()}`
        return names.note(name, profile('PUT /auth/profile/mine', { name }))
      },
    },
    {
      name: 'rename to nothing',
      normal: 400,
      needs,
      forAWhile: true,
      ask: () => names.note('', profile('PUT /auth/profile/mine', { name: '' })),
    },
  ]
}

/** Renews the tokens. If no answer comes, it uses the same ones again, as a client would. */
async function refresh(url: string, withKey: FaultScene['withKey'], member: Member) {
  const { accessToken, refreshToken } = member.tokens
  const headers = { ...withKey, ...bearer({ accessToken }) }
  const answer = await send(url, 'POST /auth/token/refresh', { headers, json: { refreshToken } })
  if (answer.status === 200) member.tokens = answer.data as unknown as Member['tokens']
  return answer
}
