/** Upcasts compile only if they lead from one version's shape to the next. Checked by tsc alone. */
import { on } from 'tsmicro'
import { contract, event } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'

const V1 = Type.Object({ id: Type.String(), name: Type.String() })
const V2 = Type.Object({ id: Type.String(), names: Type.Array(Type.String()) })
const V3 = z.object({ id: z.string(), names: z.array(z.string()), since: z.coerce.date().optional() })
const renamed = { subject: 'a.renamed', aggregate: 'id' } as const

const two = event({
  ...renamed,
  version: 2,
  data: V2,
  upcast: { 1: { data: V1, to: ({ id, name }) => ({ id, names: [name] }) } },
})
const three = event({
  ...renamed,
  version: 3,
  data: V3,
  upcast: {
    1: { data: V1, to: ({ id, name }) => ({ id, names: [name] }) },
    2: { data: V2, to: data => ({ ...data, since: '2026-01-01' }) },
  },
})
void contract('a', { three })
on(two, { name: 'a', effect: 'idempotent' }, ({ data }) => {
  const names: string[] = data.names
  void names
})
on(three, { name: 'a', effect: 'idempotent' }, ({ data }) => {
  const since: Date | undefined = data.since
  void since
})
// Without upcasts, older versions are refused.
event({ ...renamed, version: 2, data: V2 })

event({
  ...renamed,
  version: 2,
  data: V2,
  // @ts-expect-error: it returns the old shape
  upcast: { 1: { data: V1, to: data => data } },
})
event({
  ...renamed,
  version: 2,
  data: V2,
  // @ts-expect-error: the old shape has another field
  upcast: { 1: { data: V1, to: ({ id, nom }) => ({ id, names: [nom] }) } },
})
event({
  ...renamed,
  version: 3,
  data: V3,
  upcast: {
    // @ts-expect-error: it skips a version
    1: { data: V1, to: ({ id, name }) => ({ id, names: [name] }) },
  },
})
event({
  ...renamed,
  version: 3,
  data: V3,
  upcast: {
    // @ts-expect-error: it leads to the shape of another version
    1: { data: V1, to: ({ id }) => ({ id, since: '2026-01-01' }) },
    2: { data: V2, to: data => data },
  },
})
// @ts-expect-error: it is not a version before
event({ ...renamed, version: 2, data: V2, upcast: { 2: { data: V1, to: ({ id, name }) => ({ id, names: [name] }) } } })
