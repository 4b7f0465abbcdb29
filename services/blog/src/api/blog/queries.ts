import { type Filter, ObjectId } from 'mongodb'
import type { Blog } from './model.ts'

/** What everybody may read. */
export const PUBLIC = { status: true, published: true } as const

/** A blog that is not deleted. */
export function existing(id: string): Filter<Blog> {
  return { _id: new ObjectId(id), status: true }
}
