import { api } from 'encore.dev/api'
import { hello } from '~encore/clients'

export const overRpc = api({}, async ({ name }: { name: string }) => hello.greet({ name }))
