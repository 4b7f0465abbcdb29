/**
 * Where the paths of a contract begin. In a browser a relative one (`/api`) is completed by the page's address.
 * @throws {TypeError} for a relative one where there is no page, and for what `fetch` would not take
 */
export function resolveBaseUrl(baseUrl: string): URL {
  const refuse = (why: string): never => {
    throw new TypeError(`baseUrl ${JSON.stringify(baseUrl)}: ${why}`)
  }
  const page = (globalThis as { readonly location?: { readonly href?: string } }).location?.href
  const base = parse(baseUrl) ?? parse(baseUrl, page)
  if (!base) {
    return refuse(
      page === undefined
        ? 'there is no page here that a relative one could belong to; write all of it, like http://localhost:8000/blog'
        : `it is no URL, nor can ${page} complete it`,
    )
  }
  if (base.protocol !== 'http:' && base.protocol !== 'https:') refuse('begin it with http:// or https://')
  if (base.username !== '' || base.password !== '')
    refuse('fetch takes no user and password in it; send an authorization header')
  if (base.search !== '' || base.hash !== '') refuse('a path follows it, so it cannot end with a query or a fragment')
  return base
}

function parse(url: string, base?: string): URL | undefined {
  return URL.canParse(url, base) ? new URL(url, base) : undefined
}

/** The address of a path below it. */
export function below(base: URL, path: string): URL {
  const url = new URL(base)
  url.pathname = base.pathname.replace(/\/$/, '') + path
  return url
}
