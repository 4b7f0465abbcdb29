import type { Compilable, CompiledQuery, Kysely } from 'kysely'

/** Stands for a value while a query is built. */
class Parameter {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  [Symbol.toPrimitive](): never {
    throw new TypeError(
      `${this.name} is a parameter: the query is built before its value is known, so only SQL can compute with it`,
    )
  }
}

const parameters = new Proxy({}, { get: (_, name) => new Parameter(String(name)) })

/**
 * A query that Kysely builds once, when it first runs: for those that run often, as building one takes much of a process's time. Its values
 * are the fields of one object. Its text must not depend on them, so none can be a list (`= any(${ids})` takes one in SQL) or be left out.
 *
 * @example
 * const findUser = compileQuery((db: Kysely<Tables>, { id }: { id: string }) =>
 *   db.selectFrom('users').selectAll().where('id', '=', id),
 * )
 * const [user] = await findUser(postgres.db, { id }) // or within a transaction
 */
export function compileQuery<DB, Values extends object, Row>(
  build: (db: Kysely<DB>, values: Values) => Compilable<Row>,
): (db: Kysely<DB>, values: Values) => Promise<Row[]> {
  let compiled: CompiledQuery<Row> | undefined
  return async (db, values) => {
    compiled ??= build(db, parameters as Values).compile()
    const given = compiled.parameters.map(each => (each instanceof Parameter ? Reflect.get(values, each.name) : each))
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters: given })
    return rows
  }
}
