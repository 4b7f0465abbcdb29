import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startPostgres } from '@tsmicro/infra'
import { createPostgres } from 'tsmicro/postgres'
import { parse } from 'yaml'
import { databasesLines } from './databases.ts'

const hasPsql = (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, 'psql')))

test('the compose service makes databases, each with its user, as often as it runs', {
  skip: !hasPsql && 'psql is not installed',
}, async t => {
  await using server = await startPostgres({ ephemeral: true })
  const secrets = mkdtempSync(join(tmpdir(), 'tsmicro-databases-'))
  t.after(() => rmSync(secrets, { recursive: true, force: true }))
  const { hostname, port, username, password, pathname } = new URL(server.url)
  const lines = databasesLines('postgres', ['one', 'two-words'])
  const [service] = Object.values(parse(`x: &service {}\ny: &service-limits {}\n${lines.join('\n')}`)).slice(2) as {
    readonly entrypoint: readonly [string, string, string]
    readonly environment: Readonly<Record<string, string>>
  }[]
  const [shell, flag, script] = service?.entrypoint ?? assert.fail()
  const env = {
    ...{ PATH: process.env.PATH, ...service?.environment },
    ...{ PGHOST: hostname, PGPORT: port, PGUSER: decodeURIComponent(username), PGDATABASE: pathname.slice(1) },
  }
  const run = (one: string) => {
    writeFileSync(join(secrets, 'postgres_password'), decodeURIComponent(password))
    writeFileSync(join(secrets, 'one_postgres_password'), one)
    writeFileSync(join(secrets, 'two_words_postgres_password'), 'of two')
    const text = script.replaceAll('$$', '$').replaceAll('/run/secrets', secrets)
    return promisify(execFile)(shell, [flag, text], { env })
  }
  const connect = async (user: string, secret: string, database: string) => {
    const postgres = createPostgres({ url: `postgres://${user}:${secret}@${hostname}:${port}/${database}` })
    try {
      await postgres.connect()
      return 'connected'
    } catch {
      return 'refused'
    } finally {
      await postgres.close()
    }
  }
  await run("it's one")
  assert.equal(await connect('one', encodeURIComponent("it's one"), 'one'), 'connected')
  assert.equal(await connect('two-words', 'of%20two', 'two-words'), 'connected')
  assert.equal(await connect('one', encodeURIComponent("it's one"), 'two-words'), 'refused')
  await run('another')
  assert.equal(await connect('one', 'another', 'one'), 'connected')
  assert.equal(await connect('one', encodeURIComponent("it's one"), 'one'), 'refused')
})
