import { DiskCoverStore } from '../api/cover/disk-store.ts'
import { S3CoverStore } from '../api/cover/s3-store.ts'
import type { CoverStore } from '../api/cover/store.ts'
import { type Env, s3Of } from '../env.ts'

/** The store that the environment names: a bucket, otherwise a folder. */
export function createCoverStore(env: Env): CoverStore {
  const s3 = s3Of(env)
  return s3 ? new S3CoverStore(s3) : new DiskCoverStore(env.COVERS_DIR)
}
