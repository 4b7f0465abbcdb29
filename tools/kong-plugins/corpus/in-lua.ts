import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { gatewaySignature } from 'tsmicro/internal'
import { escapePath, normalizePath } from '../../../packages/gateway/src/routing/paths.ts'
import { answerOf, type Case, type Outcome, type Played, reportedFields, type Step } from './case.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Returns why Lua cannot be run here; false if it can. */
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

/** Plays cases against the compiled plugins, all in one LuaJIT. Throws unless each of them has an outcome. */
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
  if (path === undefined) throw new Error(`${target} does not reach a plugin`)
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
    all['x-gateway-signature'] = judge(signature, String(config.secret), upstream.url, all, step)
  const reported = reportedFields(step)
  const headers = Object.fromEntries(Object.entries(all).filter(([name]) => reported.has(name)))
  return { upstream: { url: upstream.url, headers }, asked: questions }
}

const MISSING = new Proxy({} as never, {
  get() {
    throw new Error('luajit reported a case that it was not given')
  },
})

/** Returns whether a service would accept the signature. The stand-in puts the text itself in the place of its digest. */
function judge(signature: string, secret: string, url: string, headers: Record<string, string>, step: Step): string {
  const [, seconds = '', hex = ''] = signature.split('.')
  const [key = '', algorithm = '', text = ''] = Buffer.from(hex, 'hex').toString('latin1').split('\0')
  const digest = createHmac(algorithm, key).update(text, 'latin1').digest('hex')
  const seen = { ...headers, 'x-real-ip': '127.0.0.1' }
  const method = step.request.method ?? 'GET'
  const wanted = gatewaySignature(secret, { method, url, headers: seen }, Number(seconds))
  return `v1.${seconds}.${digest}` === wanted ? 'good' : 'bad'
}

/** Joins repeated fields as Node does. */
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

/** Converts a JSON value to a Lua literal; `null` becomes the variable of that name. Strings become bytes. */
function toLua(value: unknown, encoding: 'latin1' | 'utf8'): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return quoted(Buffer.from(value, encoding))
  if (Array.isArray(value)) return `{${value.map(each => toLua(each, encoding)).join(',')}}`
  if (typeof value !== 'object') return String(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([name, member]) => `[${toLua(name, encoding)}]=${toLua(member, encoding)}`).join(',')}}`
}

function quoted(bytes: Buffer): string {
  return `"${[...bytes].map(byte => `\\${String(byte).padStart(3, '0')}`).join('')}"`
}
