import { contract, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { UserCreated } from '../examples/setting.ts'

/** @public */
export const userUpdated = event({ subject: 'user.updated', data: UserCreated, aggregate: 'userId' })
const welcome = procedure({ nats: 'welcome', access: 'internal', input: Type.Object({ userId: Type.String() }) })
// A contract as well as a service, for different blocks of the page.
/** @public */
export const mail = Object.assign(contract('mail', { welcome }), {} as { welcome(email: string): Promise<void> })
/** @public */
export declare const authors: { update(data: object, sequence: number | undefined): Promise<void> }
/** @public */
export declare const profiles: Map<string, object>
