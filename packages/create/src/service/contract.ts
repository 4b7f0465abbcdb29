import { contractOf, type ServiceOptions } from './options.ts'

/** What a new service offers. Without a gateway, whose paths begin with its name, they do so themselves. */
export function contractFile({ name, store, gateway = false }: ServiceOptions): string {
  const contract = contractOf(name)
  const prefix = gateway ? '' : `/${name}`
  const access = gateway ? 'key' : 'open'
  return store === undefined ? greeting(contract, name, prefix, access) : items(contract, name, prefix, access)
}

const greeting = (contract: string, name: string, prefix: string, access: string) =>
  `import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'

export const { NAME_NOT_WELCOME } = defineErrors({
  NAME_NOT_WELCOME: { status: 409, message: 'We do not greet this name', data: Type.Object({ name: Type.String() }) },
})

export const ${contract} = contract('${name}', {
  greet: procedure({
    http: 'GET ${prefix}/greet/:name',
    nats: 'greet',
    access: '${access}',
    summary: 'A friendly word',
    input: Type.Object({ name: Type.String({ minLength: 2, maxLength: 50 }) }),
    output: Type.Object({ text: Type.String() }),
    errors: { NAME_NOT_WELCOME },
  }),
})
`

const items = (contract: string, name: string, prefix: string, access: string) =>
  `import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'

const Item = Type.Object({ id: Type.String({ format: 'uuid' }), title: Type.String() })

export const { ITEM_UNKNOWN } = defineErrors({
  ITEM_UNKNOWN: { status: 404, message: 'There is no such item' },
})

export const ${contract} = contract('${name}', {
  add: procedure({
    http: 'POST ${prefix || '/items'}',
    nats: 'add',
    access: '${access}',
    summary: 'Adds an item',
    input: Type.Object({ title: Type.String({ minLength: 1, maxLength: 200 }) }),
    output: Item,
  }),
  find: procedure({
    http: 'GET ${prefix || '/items'}/:id',
    nats: 'find',
    access: '${access}',
    summary: 'The item with this id',
    input: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    output: Item,
    errors: { ITEM_UNKNOWN },
  }),
})
`
