import type { ClientBase, QueryResult } from 'pg'

export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<QueryResult<Row>>

const NO_LIMIT_MS = 2 ** 31 - 1

/** Without the pool's limit on the client's side: neither waiting for another instance's migration nor a migration itself has to be quick. */
export function queryOf(client: ClientBase): Query {
  return <Row extends object>(text: string, values?: unknown[]) =>
    client.query<Row>({ text, query_timeout: NO_LIMIT_MS, ...(values && { values }) } as { text: string })
}

/** Switches the server's limits off, until the end of the transaction or of the session; not all versions know all of them. */
export function limitsOff(query: Query, until: 'transaction' | 'session'): Promise<unknown> {
  return query(
    `select set_config(name, '0', $1) from pg_catalog.pg_settings
     where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')`,
    [until === 'transaction'],
  )
}
