export { authoring } from './authoring.ts'
export {
  BlogChange,
  BlogCreate,
  BlogId,
  BlogItem,
  PrivateBlog,
  PrivateBlogItem,
  PublicBlog,
  Revision,
  Slug,
  Tag,
} from './blog.ts'
export { editing } from './editing.ts'
export {
  BLOG_NOT_FOUND,
  BLOG_NOT_PUBLISHED,
  BLOG_NOT_SUBMITTED,
  CHANGE_NOT_ANNOUNCED,
  COVER_INVALID,
  COVER_NOT_FOUND,
  CURSOR_INVALID,
  NOT_THE_OWNER,
  REVISION_CONFLICT,
  SLUG_INVALID,
  SLUG_TAKEN,
} from './errors.ts'
export { blogEvents } from './events.ts'
export { ListQuery, PageQuery, SearchQuery } from './paging.ts'
export { reading } from './reading.ts'
