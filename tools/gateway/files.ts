import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as auth from '@blog-platform/auth-contract'
import * as blog from '@blog-platform/blog-contract'
import { messageOf } from '../command-line.ts'
import { withRoutes } from './kong-file.ts'
import type { PublicService } from './public-routes.ts'

/** What the platform makes public. */
export const SERVICES: readonly PublicService[] = [service('auth', auth), service('blog', blog)]

function service(name: string, exported: object): PublicService {
  return { name, prefix: `/${name}`, exported }
}

/** A kong file as it is and as it ought to be. */
export interface KongFile {
  readonly path: string
  readonly text: string
  readonly wanted: string
}

/** Every `kong/*.yml` below a folder. @throws {Error} with the file's name when its marks are wrong */
export function kongFiles(root: string): readonly KongFile[] {
  return globSync('kong/*.yml', { cwd: root })
    .sort()
    .map(path => {
      const text = readFileSync(join(root, path), 'utf8')
      try {
        return { path, text, wanted: withRoutes(text, SERVICES) }
      } catch (error) {
        throw new Error(`${path}: ${messageOf(error)}`)
      }
    })
}
