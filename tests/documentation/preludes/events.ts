import type { Transaction } from 'kysely'
import type { NatsClient, Outbox } from 'tsmicro'
import { contract, event } from 'tsmicro/contract'
import type { Postgres } from 'tsmicro/postgres'
import Type from 'typebox'

const Order = Type.Object({ orderId: Type.String(), text: Type.String() })
interface Tables {
  orders: { orderId: string; text: string }
  reserved: { orderId: string; text: string }
}

/** @public */
export const orderPlaced = event({ subject: 'order.placed', aggregate: 'orderId', data: Order })
/** @public */
export const orders = contract('shop', { placed: orderPlaced })
/** @public */
export declare const nats: NatsClient
/** @public */
export declare const postgres: Postgres<Tables>
/** @public */
export declare const outbox: Outbox<Transaction<Tables>>
