import { codeFiles } from './code.ts'
import { contractFile } from './contract.ts'
import { manifestFiles } from './manifests.ts'
import type { ServiceOptions } from './options.ts'
import { placesOf } from './places.ts'
import { programFiles } from './program.ts'
import { testFiles } from './tests.ts'

/** The files of a new service, by their paths in the project. */
export function serviceFiles(options: ServiceOptions): Readonly<Record<string, string>> {
  const places = placesOf(options)
  return {
    ...manifestFiles(options),
    [places.contract]: contractFile(options),
    ...codeFiles(options, places),
    ...programFiles(options, places),
    ...testFiles(options, places),
  }
}
