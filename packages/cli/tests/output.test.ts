import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { useCompileCache } from '../src/compile-cache.ts'
import { infraLevel, type Level } from '../src/output/levels.ts'
import { choosePaint, createLog } from '../src/output/log.ts'
import { Progress, redactUrl, renderTable } from '../src/start/summary.ts'
import { until } from './support/supervisor.ts'

function logOf(level: Level, isTerminal = false, env: NodeJS.ProcessEnv = {}) {
  let text = ''
  const write = (chunk: string) => {
    text += chunk
  }
  return { log: createLog({ write, level, isTerminal, env, width: 4 }), text: () => text }
}

test('lines of pino become readable, others stay as they are', () => {
  const { log, text } = logOf('info')
  log.child('auth', '{"level":40,"msg":"slow","requestId":"a b","ms":12,"pid":1,"hostname":"h"}')
  log.child('auth', 'plain text')
  log.child('auth', '{"not":"pino"}')
  log.child('auth', '{"level":20,"msg":"hidden"}')
  log.child('auth', '{"level":"error","err":{"type":"RangeError","message":"m"}}')
  assert.deepEqual(text().split('\n'), [
    'auth │ WARN  slow requestId="a b" ms=12',
    'auth │ plain text',
    'auth │ {"not":"pino"}',
    'auth │ ERROR RangeError: m',
    'auth │   RangeError: m',
    '',
  ])
})

test('no line of a child ends the supervisor', () => {
  const { log, text } = logOf('info')
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  const hostile = [
    '{"level":50,"err":{"type":{"toString":1,"valueOf":2},"message":{"toString":1}}}',
    '{"level":50,"err":{"stack":7,"message":["x"]},"time":"never","msg":{"a":1}}',
    `{"level":30,"msg":"deep","a":${deep}}`,
    '{"level":1e999,"time":1e999,"__proto__":{"level":1},"constructor":1}',
    '{"level":"toString","msg":1}',
    '{',
  ]
  for (const line of hostile) log.child('auth', line)
  assert.match(text(), /ERROR \{"toString":1,"valueOf":2\}: \{"toString":1\}\n/)
  assert.equal(text().match(/^auth │ (?! )/gm)?.length, hostile.length)
})

test('what a user sent cannot repaint the terminal', () => {
  const { log, text } = logOf('info')
  log.child('auth', JSON.stringify({ level: 30, msg: '\u001b[2Jgone', title: '\u009b31m\rx', '\u0007': 1 }))
  log.child('auth', 'raw \u001b]0;title\u0007')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
  assert.doesNotMatch(text(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  assert.match(text(), /\\x1b\[2Jgone/)
})

test('only a terminal gets colours, and not with NO_COLOR', () => {
  assert.ok(choosePaint(true, {})('red', 'x').startsWith('\u001b[31mx'))
  assert.equal(choosePaint(true, { NO_COLOR: '1' })('red', 'x'), 'x')
  assert.equal(choosePaint(false, {})('red', 'x'), 'x')
  assert.notEqual(choosePaint(false, { FORCE_COLOR: '1' })('red', 'x'), 'x')
})

test('tables hide passwords', () => {
  assert.equal(redactUrl('postgresql://app:s3cret@127.0.0.1:5432/app'), 'postgresql://app:***@127.0.0.1:5432/app')
  assert.equal(redactUrl('mongodb://u:p@a:1,b:2/x'), 'mongodb://u:***@a:1,b:2/x')
  assert.equal(redactUrl('nats://127.0.0.1:4222'), 'nats://127.0.0.1:4222')
  assert.equal(redactUrl('nats://T0ken@host:4222'), 'nats://***@host:4222')
  assert.equal(redactUrl('T0ken@host:4222'), '***@host:4222')
  assert.equal(redactUrl('postgres://app@host/app'), 'postgres://app@host/app')
  assert.equal(redactUrl('nats://a:p1@h1,nats://b:p2@h2,tls://c@h3'), 'nats://a:***@h1,nats://b:***@h2,tls://***@h3')
  assert.equal(redactUrl('postgres://a:p/q@r?s@host/db'), 'postgres://a:***@host/db')
  for (const url of ['nats://p1@h1:1,p2@h2:2', 'nats://a:p1@h1,b:p2@h2', 'postgres://h/db?user=a&password=p1@p2&x=y'])
    assert.doesNotMatch(redactUrl(url), /p[12]/)
  const plain = choosePaint(false, {})
  assert.equal(renderTable([[['a', 'x']], [], [['long', 'y', 'z']]], plain), '  a     x\n\n  long  y  z')
})

test('code is taken from a data folder only if nobody else can write there', t => {
  const root = mkdtempSync(join(tmpdir(), 'tsmicro-cache-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'data/compile-cache'), { recursive: true })
  symlinkSync('data', join(root, 'link'))
  const cacheOf = (folder: string, mode: number) => {
    const env: NodeJS.ProcessEnv = {}
    chmodSync(join(root, 'data'), mode)
    useCompileCache(join(root, folder), env)
    return env.NODE_COMPILE_CACHE
  }
  assert.equal(cacheOf('data', 0o755), undefined)
  assert.equal(cacheOf('data', 0o720), undefined)
  assert.equal(cacheOf('link', 0o700), undefined)
  assert.equal(cacheOf('none', 0o700), undefined)
  assert.equal(cacheOf('data', 0o700), join(root, 'data/compile-cache'))
})

test('everyday messages of embedded servers have the level debug', () => {
  assert.equal(infraLevel('nats', '[1] 2026/01/01 10:00:00.1 [INF] Server is ready', 'stderr'), 'debug')
  assert.equal(infraLevel('nats', '[1] 2026/01/01 10:00:00.1 [WRN] slow consumer', 'stderr'), 'warn')
  assert.equal(infraLevel('postgres', '2026-01-01 UTC [7] LOG:  checkpoint', 'stderr'), 'debug')
  assert.equal(infraLevel('postgres', '2026-01-01 UTC [7] PANIC:  no space', 'stderr'), 'fatal')
  const redis = (text: string) => infraLevel('redis', `7:M 22 Nov 2026 16:20:12.936 ${text}`, 'stdout')
  assert.equal(redis('* Ready to accept connections'), 'debug')
  assert.equal(redis('# Server initialized'), 'debug')
  assert.equal(redis('# WARNING Memory overcommit must be enabled! Without it, saves may fail'), 'debug')
  assert.equal(redis('# Error writing to the AOF file: No space left on device'), 'warn')
})

test('progress shows what is ready and what is still being waited for', async () => {
  const { log, text } = logOf('info')
  const progress = new Progress(log, 5)
  const slow = Promise.withResolvers<string>()
  const tracked = progress.track('slow', slow.promise, result => result)
  await progress.track('fast', Promise.resolve(), () => 'embedded')
  await until('a reminder', () => text().includes('still waiting for slow (0 s)'))
  slow.resolve('at last')
  await tracked
  progress.stop()
  assert.match(
    text(),
    /^✓ fast +ready in \d\.\d\d s {2}embedded\n(… still waiting for slow \(0 s\)\n)+✓ slow .* at last\n$/,
  )
})
