import { administrator } from '../../support/people.ts'
import type { Platform } from '../../support/platform.ts'
import { Door } from './door.ts'

/** The system under test: the platform's addresses, and an administrator. */
export interface Target extends Disposable {
  readonly auth: Door
  /** One, or several replicas that must behave as one. */
  readonly blog: readonly Door[]
  readonly admin: { readonly id: string; readonly token: string }
}

/** @param blogUrls addresses of the replicas. Default: the gateway's */
export async function openTarget(platform: Platform, blogUrls: readonly string[] = []): Promise<Target> {
  const { url, apiKey } = platform
  const resources = new DisposableStack()
  const key = { 'x-api-key': apiKey }
  const auth = resources.use(new Door(`${url}/auth`, key))
  const urls = blogUrls.length > 0 ? blogUrls : [`${url}/blog`]
  const blog = urls.map(each => resources.use(new Door(each, key)))
  const { id, accessToken: token } = await administrator(platform)
  return { auth, blog, admin: { id, token }, [Symbol.dispose]: () => resources.dispose() }
}
