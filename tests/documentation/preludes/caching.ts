import type { Mongo } from 'tsmicro/mongo'
import type { PublicBlog as SlugBlog } from '../examples/setting.ts'

/** @public */
export interface PublicBlog extends Omit<SlugBlog, 'author'> {
  readonly author: { readonly id: string }
}
/** @public */
export declare const mongo: Mongo
/** @public */
export declare const env: { readonly REDIS_URL: string }
/** @public */
export declare const repository: { findPublic(id: string): Promise<PublicBlog> }
