type Store = 'postgres' | 'mongo'

/** What a new service is to be. */
export interface ServiceOptions {
  readonly name: string
  readonly port: number
  /** Where it keeps its data, in a database of its own. */
  readonly store?: Store | undefined
  /** Behind a gateway, which puts the service's name in front of its paths and signs what it forwards. */
  readonly gateway?: boolean
  /** Contract and service are packages of a workspace, named after this scope: `@shop`. Otherwise they are folders of one package. */
  readonly scope?: string | undefined
  /** Of the packages that manifests in a workspace name. */
  readonly versions?: Readonly<Record<string, string>>
}

export const camelCase = (name: string): string =>
  name.replaceAll(/-+(.?)/g, (_, letter: string) => letter.toUpperCase())

export const contractOf = (name: string): string => `${camelCase(name)}Contract`

export const databaseOf = (name: string): string => name.replaceAll('-', '_')
