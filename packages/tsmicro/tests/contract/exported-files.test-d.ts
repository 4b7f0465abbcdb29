import { contract, file, procedure, upload } from 'tsmicro/contract'

/** Contracts with files can be exported: the compiler spells their types with public names alone. @public */
export const exported = contract('shop', {
  report: procedure({ http: 'GET /report', access: 'user', output: file('text/csv') }),
  raw: procedure({ http: 'POST /raw', access: 'user', input: file('text/csv', { maxBytes: 10 }) }),
  form: procedure({ http: 'POST /form', access: 'user', input: upload({ files: { photo: {} } }) }),
})
