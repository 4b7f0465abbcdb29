import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
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

/** A service as the command line names it: `office=office/contract.ts`. @throws {Error} if it is written otherwise, or cannot be loaded */
export async function loadService(root: string, text: string): Promise<PublicService> {
  const [, name = '', path = ''] = /^([\w-]+)=(.+)$/.exec(text) ?? []
  if (name === '') throw new Error(`--service is NAME=CONTRACTS, such as office=office/contract.ts, not ${text}`)
  return service(name, await import(pathToFileURL(resolve(root, path)).href))
}

/** A kong file as it is and as it ought to be. */
export interface KongFile {
  readonly path: string
  readonly text: string
  readonly wanted: string
}

/** Kong files below a folder, by default every `kong/*.yml`. @throws {Error} with the file's name when its marks are wrong */
export function kongFiles(
  root: string,
  paths: readonly string[] = globSync('kong/*.yml', { cwd: root }).sort(),
  services: readonly PublicService[] = SERVICES,
): readonly KongFile[] {
  return paths.map(path => {
    const text = readFileSync(resolve(root, path), 'utf8')
    try {
      return { path, text, wanted: withRoutes(text, services) }
    } catch (error) {
      throw new Error(`${path}: ${messageOf(error)}`)
    }
  })
}
