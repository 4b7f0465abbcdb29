import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import pg from 'pg'
import { checkRules } from './plan.ts'
import { statementsOf } from './statements.ts'

const server = await startPostgres({ ephemeral: true })
const client = new pg.Client({ connectionString: server.url })
await client.connect()
await client.query('create table t (n integer, s text)')
after(async () => {
  await client.end()
  await server.stop()
})

/** How many statements the server found in a text: it reports the end of each. */
async function count(sql: string): Promise<number> {
  const wire = Reflect.get(client, 'connection')
  let completed = 0
  const add = () => completed++
  wire.on('commandComplete', add)
  try {
    await client.query('begin')
    completed = 0
    await client.query(sql)
    return completed
  } catch (error) {
    throw new Error(`the server does not take ${sql}`, { cause: error })
  } finally {
    wire.off('commandComplete', add)
    await client.query('rollback')
  }
}

/** Each is one statement that contains several apparent ends. */
const PIECES = [
  "select 'a;b''; commit; --' as x",
  "select E'it\\'s; commit; \\\\' as \"end; commit\"",
  "select e'\\\\', 1",
  "select U&'d\\0061t; a', B'01', X'ff', n'x;y'",
  'select $$ ; commit; $ $x$ $$, $tag$ $$; rollback; $other$ $tag$',
  'select 1 as a$b$c, 2 as "x""; commit; "',
  'select 1 /* ; /* nested ; */ commit; */ as x -- ; commit; \' "',
  'select case when true then 1 else 2 end',
  'do $do$ begin perform 1; end $do$',
  "do 'begin perform 1; end'",
  'create or replace rule r as on insert to t do also (select 1; select 2)',
  'create or replace function f() returns integer language sql begin atomic select case when true then 1 end; select 2; end',
  'create or replace procedure p(a integer) begin atomic insert into t values (a); delete from t where n = (select 1); end',
  'create or replace function g() returns integer language sql return case when true then 1 end',
  'create or replace function begin() returns integer language sql return 1',
  'create or replace function public.begin("end" integer) returns integer language sql begin /* ; */ atomic select 1; end',
  'prepare later as select 1; deallocate later',
  'savepoint s; select 1; rollback to savepoint s; ROLLBACK WORK TO s; release s',
  'insert into t (n, s) values (1, $ö$ ; $ö$)',
  'select 1.5e3, 1e5, .5, 2;',
  "select (array[1,2])[1], t.* from t where n <> -1 and s ~ ';'",
  "comment on table t is 'commit; end;'",
  '/* commit; */ -- begin\n select 1',
  ';;select 3;;',
]

test('statements are split as the server does, in any order', async () => {
  const rounds = process.env.CI === 'true' ? 400 : 40
  let seed = 42
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31
    return Math.floor((seed / 2 ** 31) * below)
  }
  for (const piece of PIECES) assert.equal(statementsOf(piece).length, await count(piece), piece)
  for (let round = 0; round < rounds; round++) {
    const text = Array.from({ length: 1 + random(6) }, () => PIECES[random(PIECES.length)]).join(
      // After a line break: a piece may end with a comment, which would swallow the semicolon.
      random(2) ? '\n;' : '\n;\n',
    )
    const statements = statementsOf(text)
    assert.equal(statements.length, await count(text), text)
    checkRules({ name: 'x', statements, transaction: true })
    for (const { text: each, start, line } of statements) {
      assert.equal(text.slice(start, start + each.length), each)
      assert.equal(text.split('\n').length - text.slice(start).split('\n').length + 1, line)
    }
  }
})

test('a statement that begins or ends a transaction is found anywhere', () => {
  const control = [
    ...['commit', 'COMMIT WORK', 'Commit and chain', 'end', 'END transaction', 'rollback', 'rollback work', 'abort'],
    ...[
      'begin',
      'BEGIN isolation level serializable',
      'start transaction',
      "prepare transaction 'x'",
      "commit prepared 'x'",
    ],
    ...["rollback prepared 'x'", '/* a /* b */ */ cOmMiT', '-- comment\n\tcommit -- end'],
  ]
  for (const word of control) {
    assert.throws(
      () => checkRules({ name: 'x', statements: statementsOf(word), transaction: true }),
      /has [A-Z ]+ in line \d: a migration already is/,
      word,
    )
    for (const piece of PIECES) {
      for (const text of [`${piece}\n;${word}`, `${word};${piece}`, `select 1;${word}\n;\n${piece}`]) {
        assert.throws(
          () => checkRules({ name: 'x', statements: statementsOf(text), transaction: true }),
          /a migration already is/,
          text,
        )
      }
    }
  }
})

test('an unclosed string or comment extends to the end, and large files are accepted', () => {
  for (const open of [
    "select '; commit",
    'select "; commit',
    'select $a$; commit',
    '/* ; commit',
    "select E'\\'; commit",
    'select (1; 2',
  ]) {
    assert.ok(statementsOf(open).length <= 1, open)
  }
  const large = `insert into t values (1, '${"x''".repeat(300_000)}'); ${'-- comment\n'.repeat(50_000)} select 1;`
  assert.deepEqual(
    statementsOf(large).map(({ line }) => line),
    [1, 50_001],
  )
})
