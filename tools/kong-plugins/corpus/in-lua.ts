import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { gatewaySignature } from 'tsmicro/internal'
import { escapePath, normalizePath } from '../../../packages/gateway/src/routing/normalize-path.ts'
import { answerOf, type Case, namesToTell, type Outcome, type Played, type Step } from './case.ts'
import { toLua } from './to-lua.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Why Lua cannot be run here; false when it can. */
export function noLuajit(): string | false {
  const { error } = spawnSync('luajit', ['-v'])
  return error ? 'luajit, the Lua of Kong, is not installed' : false
}

type Headers = Readonly<Record<string, string | readonly string[]>>

interface LuaStep {
  readonly answer?: { readonly status: number; readonly body: { readonly error?: string; readonly message?: string } }
  readonly upstream?: { readonly url: string; readonly headers: Headers | readonly never[] }
  readonly thrown?: string
  readonly asked: readonly { readonly url: string; readonly key: string; readonly secret?: string }[]
}

/** Plays cases against the compiled plugins, all in one LuaJIT. Throws when it says anything but an outcome for each. */
export function playInLua(cases: readonly Case[]): readonly Played[] {
  const input = `{${cases.map(luaCase).join(',')}}`
  const { status, stdout, stderr } = spawnSync('luajit', ['tools/kong-plugins/corpus/stand-in.lua'], {
    cwd: ROOT,
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(`luajit: ${stderr}`)
  const outcomes = JSON.parse(stdout) as { readonly refused: boolean; readonly steps: readonly LuaStep[] }[]
  return outcomes.map(({ refused, steps }, at) =>
    refused ? 'refused' : steps.map((step, index) => outcomeOf(step, cases[at], cases[at]?.steps?.[index])),
  )
}

function luaCase({ plugin, config, steps = [] }: Case): string {
  const bodies = steps
    .flatMap(step => Object.values(step.verifiers ?? {}))
    .flatMap(answer => (typeof answer === 'string' ? [] : [answer.body]))
  const decoded = bodies.flatMap(body => {
    const value = parse(body)
    return value === undefined ? [] : [`[${toLua(body, 'utf8')}]=${toLua(value, 'utf8')}`]
  })
  const members = [
    `plugin=${toLua(plugin, 'utf8')}`,
    `config=${toLua(config, 'utf8')}`,
    `decoded={${decoded.join(',')}}`,
    `steps={${steps.map(step => luaStep(step, config)).join(',')}}`,
  ]
  return `{${members.join(',')}}`
}

function luaStep({ after = 0, request, verifiers = {} }: Step, config: Case['config']): string {
  const { method = 'GET', target = '/', headers = [], truncated = false } = request
  const path = normalizePath(target.split('?', 1)[0] ?? '')
  if (path === undefined) throw new Error(`${target} does not get as far as a plugin`)
  const sent = { method, target, headers, truncated, upstream_uri: escapePath(path) }
  const urls = Array.isArray(config.verify_urls) ? (config.verify_urls as string[]) : []
  const answers = Object.fromEntries(urls.map(url => [url, verifiers[new URL(url).hostname] ?? 'closes']))
  return `{after=${after},request=${toLua(sent, 'latin1')},verifiers=${toLua(answers, 'utf8')}}`
}

function outcomeOf(played: LuaStep, { config }: Case = MISSING, step: Step = MISSING): Outcome {
  const { answer, upstream, thrown, asked } = played
  if (thrown !== undefined) throw new Error(`a plugin threw: ${thrown}`)
  const questions = asked.map(({ url, key, secret }) =>
    [new URL(url).hostname, key, ...(secret === undefined ? [] : [secret])].join(' '),
  )
  if (answer !== undefined) return { answer: answerOf(answer.status, answer.body), asked: questions }
  if (upstream === undefined) throw new Error('a plugin did nothing')
  const all = joined(upstream.headers)
  const signature = all['x-gateway-signature']
  if (signature !== undefined)
    all['x-gateway-signature'] = judged(signature, String(config.secret), upstream.url, all, step)
  const told = namesToTell(step)
  const headers = Object.fromEntries(Object.entries(all).filter(([name]) => told.has(name)))
  return { upstream: { url: upstream.url, headers }, asked: questions }
}

const MISSING = new Proxy({} as never, {
  get() {
    throw new Error('luajit told of a case that it was not given')
  },
})

/** Whether a service takes the signature; the stand-in leaves the text where the digest of it should be. */
function judged(signature: string, secret: string, url: string, headers: Record<string, string>, step: Step): string {
  const [, seconds = '', hex = ''] = signature.split('.')
  const [key = '', algorithm = '', text = ''] = Buffer.from(hex, 'hex').toString('latin1').split('\0')
  const digest = createHmac(algorithm, key).update(text, 'latin1').digest('hex')
  const seen = { ...headers, 'x-real-ip': '127.0.0.1' }
  const method = step.request.method ?? 'GET'
  const wanted = gatewaySignature(secret, { method, url, headers: seen }, Number(seconds))
  return `v1.${seconds}.${digest}` === wanted ? 'good' : 'bad'
}

/** As Node joins them. */
function joined(headers: Headers | readonly never[]): Record<string, string> {
  const entries = Object.entries(headers as Headers).map(([name, value]): [string, string] => {
    if (typeof value === 'string') return [name, value]
    return [name, name === 'authorization' ? (value[0] ?? '') : value.join(', ')]
  })
  return Object.fromEntries(entries)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
