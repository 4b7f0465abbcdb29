import type { MongoMembership } from '../mongo/index.ts'
import type { Broadcast } from '../nats/index.ts'
import { type CacheBus, createCacheStore, type ReplicaRegistry } from './index.ts'

interface Post {
  readonly id: string
  readonly tags: readonly string[]
  readonly text?: string
  readonly author: { readonly name: string } | null
}

const store = createCacheStore()
const posts = store.cache<Post>('post')
posts.get('1') satisfies Promise<Post | undefined>
store.cache<Post | null>('maybe').getOrSet('1', async () => null) satisfies Promise<Post | null>

// @ts-expect-error a Date comes back from JSON as a string
store.cache<{ at: Date }>('dated')
// @ts-expect-error a Map comes back as {}
store.cache<{ nested: { map: Map<string, string> }[] }>('mapped')
// @ts-expect-error wrong type of value
posts.set('1', { id: 1 })
// @ts-expect-error the factory must give the cache's type
posts.getOrSet('1', async () => 'text')

// What the other entries make fits, though none of them knows the other.
declare const membership: MongoMembership
membership satisfies ReplicaRegistry
declare const broadcast: Broadcast
broadcast satisfies CacheBus
