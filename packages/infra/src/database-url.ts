/**
 * The URL of one database of a MongoDB server. A URL that names a database already is left as it is. Without this, a user of the
 * server would be looked for in the database: where the URL says nothing else, `authSource=admin` is added, as it was without it.
 *
 * @example
 * databaseUrl('mongodb://me:secret@a,b/?replicaSet=r', 'blog') // mongodb://me:secret@a,b/blog?replicaSet=r&authSource=admin
 */
export function databaseUrl(url: string, database: string): string {
  const [, server, named, query = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url) ?? []
  if (server === undefined || named) return url
  const options = new Map(query.split('&').flatMap(each => (each === '' ? [] : [[each.split('=')[0] ?? '', each]])))
  if (server.includes('@') && !options.has('authSource')) options.set('authSource', 'authSource=admin')
  return `${server}/${database}${options.size > 0 ? `?${[...options.values()].join('&')}` : ''}`
}
