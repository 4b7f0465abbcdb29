import type { ColumnType, Generated } from 'kysely'

/** @public */
export interface Tables {
  orders: {
    id: Generated<string>
    customer_id: string
    cents: ColumnType<string, bigint | number, bigint | number>
    created_at: Generated<Date>
    cancelled_at: Date | null
  }
}
