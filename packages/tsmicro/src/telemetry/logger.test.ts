import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { test } from 'node:test'
import { createLogger } from './index.ts'
import type { LogLevel } from './logger.ts'

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'

function capture(level: LogLevel = 'trace') {
  const lines: string[] = []
  const log = createLogger({ name: 'test', level, destination: { write: line => lines.push(line) } })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') }
}

test('writes one JSON object per line, with level names and ISO time', () => {
  const { log, lines, last } = capture()
  log.warn({ blogId: 'b1' }, 'published')
  assert.match(lines[0] ?? '', /\n$/)
  const { time, ...rest } = last()
  assert.deepEqual(rest, { level: 'warn', name: 'test', blogId: 'b1', msg: 'published' })
  assert.equal(new Date(time).toISOString(), time)
})

test('writes nothing below its level', () => {
  const { log, lines } = capture('error')
  log.warn('no')
  log.error('yes')
  assert.equal(lines.length, 1)
})

test('redacts fields that are named like credentials at any depth, in children too', () => {
  const { log, last } = capture()
  log.info({
    headers: { authorization: 'Bearer abc', 'x-api-key': 'k-123', accept: '*/*' },
    body: { list: [{ user: { password: 'p-123', refreshToken: 'r-123', name: 'Ann' } }] },
    tokens: { accessToken: 'a-123' },
    hasToken: true,
  })
  const { headers, body, tokens, hasToken } = last()
  assert.deepEqual(headers, { authorization: '[redacted]', 'x-api-key': '[redacted]', accept: '*/*' })
  assert.deepEqual(body.list[0].user, { password: '[redacted]', refreshToken: '[redacted]', name: 'Ann' })
  assert.equal(tokens, '[redacted]')
  assert.equal(hasToken, true)
  log
    .child({ accessToken: 'a-123', nested: { secret: 's' } })
    .child({ requestId: 'r1' })
    .info('x')
  assert.equal(last().accessToken, '[redacted]')
  assert.deepEqual(last().nested, { secret: '[redacted]' })
  assert.equal(last().requestId, 'r1')
})

test('does not modify what it is given', () => {
  const { log } = capture()
  const fields = { body: { password: 'p-123' } }
  log.info(fields)
  assert.equal(fields.body.password, 'p-123')
})

test('masks tokens and URL passwords in messages, errors and stacks', () => {
  const { log, lines } = capture()
  log.info(`got Bearer ${jwt}`)
  log.info({ note: `jwt=${jwt}` })
  log.error({ err: new Error(`bad token ${jwt}`, { cause: new Error('cannot reach postgres://app:hunter2@db/x') }) })
  log.error(new Error(`authorization: bearer opaque-token-123 failed`))
  for (const line of lines) {
    JSON.parse(line)
    assert.doesNotMatch(line, /eyJ|hunter2|opaque-token/)
    assert.match(line, /\[redacted\]/)
  }
})

test('errors carry type, code and the chain of causes, not their data', () => {
  const { log, last } = capture()
  const cause = Object.assign(new TypeError('inner'), { code: 'ECONNREFUSED', detail: 'Key (email)=(a@b.c)' })
  log.error({ err: new Error('outer', { cause }) }, 'failed')
  const { err, msg } = last()
  assert.equal(msg, 'failed')
  assert.equal(err.message, 'outer')
  assert.match(err.stack, /logger\.test/)
  assert.equal(err.cause.type, 'TypeError')
  assert.equal(err.cause.code, 'ECONNREFUSED')
  assert.equal('detail' in err.cause, false)
})

test('survives cycles, deep and odd values', () => {
  const { log, last } = capture()
  const cycle: Record<string, unknown> = { a: 1 }
  cycle.self = cycle
  const circular = new Error('loop')
  circular.cause = circular
  log.info({ cycle, circular, when: new Date(0), big: [undefined, null], url: new URL('http://x/y') }, 'odd')
  assert.equal(last().circular.message, 'loop')
  assert.equal(last().when, '1970-01-01T00:00:00.000Z')
  log.error({ err: circular }, 'loop')
  assert.equal(last().msg, 'loop')
  log.error({ err: 'a string' }, 'odd')
  assert.equal(last().err, 'a string')
})

test('what was logged is written although the process ends', () => {
  const entry = new URL('index.ts', import.meta.url).href
  const run = (end: string) => {
    const script = `const { createLogger } = await import(${JSON.stringify(entry)})
      const log = createLogger({ name: 'test' })
      log.info('first')
      ${end}`
    const args = ['--input-type=module', '-e', script]
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    return stdout.split('\n').map(line => /"msg":"(\w+)"/.exec(line)?.[1] ?? line)
  }
  assert.deepEqual(run(`log.child({ a: 1 }).info('second'); process.exit(3)`), ['first', 'second', ''])
  assert.deepEqual(run(`throw new Error('unexpected')`), ['first', ''])
  // A warning takes what came before along.
  assert.deepEqual(run(`log.warn('second'); process.kill(process.pid, 'SIGKILL')`), ['first', 'second', ''])
  const long = `for (let n = 0; n < 3; n++) log.info('x'.repeat(5000)); process.kill(process.pid, 'SIGKILL')`
  assert.deepEqual(
    run(long)
      .map(text => text.length)
      .slice(0, 3),
    [5, 5000, 5000],
  )
})

test('a full disk does not end the process', {
  skip: existsSync('/dev/full') ? false : 'there is no /dev/full here',
}, () => {
  const full = openSync('/dev/full', 'w')
  const entry = new URL('index.ts', import.meta.url).href
  const script = `const { createLogger } = await import(${JSON.stringify(entry)})
    const log = createLogger({ name: 'test' })
    for (let n = 0; n < 3; n++) {
      log.info({ n }, 'lost')
      await new Promise(resolve => setImmediate(resolve))
    }
    process.stderr.write('alive')`
  const args = ['--input-type=module', '-e', script]
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
  closeSync(full)
  assert.deepEqual([status, stderr], [0, 'alive'])
})
