import type { Mongo } from 'tsmicro/mongo'
import type { PublicBlog as SlugBlog } from '../examples/setting.ts'

export interface PublicBlog extends Omit<SlugBlog, 'author'> {
  readonly author: { readonly id: string }
}
export declare const mongo: Mongo
export declare const env: { readonly REDIS_URL: string }
export declare const repository: { findPublic(id: string): Promise<PublicBlog> }
