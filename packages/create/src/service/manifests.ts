import type { ServiceOptions } from './options.ts'

const DRIVERS = { postgres: ['kysely', 'pg'], mongo: ['mongodb'] }

/** What the drivers of its store are called. */
export const driversOf = ({ store }: Pick<ServiceOptions, 'store'>): readonly string[] =>
  store === undefined ? [] : DRIVERS[store]

/** In a workspace, contract and service are packages. */
export function manifestFiles(options: ServiceOptions): Readonly<Record<string, string>> {
  const { name, scope, versions = {} } = options
  if (scope === undefined) return {}
  const given = (names: readonly string[]) =>
    Object.fromEntries(names.toSorted().map(each => [each, versions[each] ?? '*']))
  const common = { version: '0.1.0', private: true, license: versions.license, type: 'module' }
  const contract = {
    name: `${scope}/${name}-contract`,
    ...common,
    exports: { '.': './src/index.ts' },
    dependencies: given(['tsmicro', 'typebox']),
  }
  const service = {
    name: `${scope}/${name}-service`,
    ...common,
    exports: { './env': './src/env.ts' },
    dependencies: {
      [contract.name]: '0.1.0',
      ...given([...driversOf(options), 'tsmicro', 'typebox']),
    },
    ...(options.store ? { devDependencies: given(['@tsmicro/infra']) } : {}),
  }
  const text = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`
  return { [`contracts/${name}/package.json`]: text(contract), [`services/${name}/package.json`]: text(service) }
}
