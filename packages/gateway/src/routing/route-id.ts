import { createHash } from 'node:crypto'

/** The namespaces under which Kong makes ids: of entities of a declarative config, and of the parts of a route. */
const ENTITIES = 'fd02801f-0957-4a15-a55a-c8d9606f30b5'
const PARTS = '7f145bf9-0dce-4f91-98eb-debbce4b9f6b'

/** The id that a DB-less Kong gives a route of this name: UUID version 5. */
export function routeId(name: string): string {
  return uuidV5(ROUTES, name)
}

/** The id of a part of a route whose paths have several places in the order; the first part is 1. */
export function routePartId(id: string, part: number): string {
  return uuidV5(PARTS, `${id}#${part}`)
}

/** RFC 9562, 5.5. */
function uuidV5(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const ROUTES = uuidV5(ENTITIES, 'routes')
