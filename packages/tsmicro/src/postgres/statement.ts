const BEGIN = /^\s*(?:begin|start\s+transaction)\b/i
const END = /^\s*(?:commit|end|rollback|abort)\s*;?\s*$/i
const ROLLBACK = /^\s*(?:rollback|abort)\b/i
const COMMIT = /^\s*(?:commit|end)\b/i
const READS = /^\s*(?:select|with)\b/i
const WRITES = /\b(?:insert|update|delete|merge)\b/i

export const begins = (sql: string) => BEGIN.test(sql)

/** Ends the transaction, and not only a part of it. */
export const ends = (sql: string) => END.test(sql)

/** Undoes the transaction or a part of it. */
export const undoes = (sql: string) => ROLLBACK.test(sql)

export const commits = (sql: string) => COMMIT.test(sql)

/** Surely changes no row. In doubt it is no read: a column with the name of a command is enough. */
export const reads = (sql: string) => READS.test(sql) && !WRITES.test(sql)
