import { isBuiltin } from 'node:module'
import { member, type Package } from '../workspace.ts'
import type { Edge } from './graph.ts'

/** Workspace packages that the source of each folder may import. Services and contracts have rules of their own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'packages/tsmicro': [],
  'packages/document-server': [],
  'kong/plugins': [],
  'packages/gateway': ['kong/plugins'],
  'packages/infra': ['packages/document-server'],
  'packages/cli': ['packages/infra', 'packages/document-server', 'packages/gateway', 'packages/tsmicro'],
}

/** Direction between the packages of the workspace, and that each package declares what it imports. */
export function betweenPackages(edge: Edge, packages: readonly Package[]): string[] {
  const { owner, test } = edge
  if (!owner) return []
  if (edge.file !== undefined) {
    const inside = edge.file.startsWith(`${owner.folder}/`)
    return inside ? [] : [`leaves its package by a path (${edge.specifier}): import the package by its name`]
  }
  if (edge.module === undefined || isBuiltin(edge.specifier))
    return owner.folder.startsWith('contracts/') && !test ? [NO_IO] : []
  const other = packages.find(({ name }) => name === edge.module)
  return [...(test ? [] : direction(edge, owner, other)), ...declared(edge, owner, other)]
}

/** One file of the framework each, which loads none of the rest: what the gateway's HTTP server shares with the services'. */
const SHARED = /^tsmicro\/internal\/./

const NO_IO = 'a contract is data: it may import tsmicro/contract, typebox and other contracts, not Node'

function direction(edge: Edge, owner: Package, other: Package | undefined): string[] {
  const testing = edge.from.startsWith('packages/tsmicro/src/testing/')
  if (owner.folder.startsWith('contracts/')) return contract(edge, other)
  if (other === undefined || other === owner || testing) return []
  if (owner.folder === 'packages/gateway' && SHARED.test(edge.specifier)) return []
  if (owner.folder.startsWith('services/')) {
    const allowed = other.name === 'tsmicro' || other.folder.startsWith('contracts/')
    return allowed ? [] : [`a service may import tsmicro and contracts, not ${other.folder}`]
  }
  const allowed = MAY_IMPORT[owner.folder]
  if (allowed === undefined)
    return [`${owner.folder} has no place in the import direction yet: add it to tools/check/imports/packages.ts`]
  return allowed.includes(other.folder) ? [] : [`${owner.folder} may not import ${other.folder}`]
}

function contract(edge: Edge, other: Package | undefined): string[] {
  const allowed =
    edge.specifier === 'tsmicro/contract' || edge.module === 'typebox' || other?.folder.startsWith('contracts/')
  return allowed ? [] : [`a contract may import tsmicro/contract, typebox and other contracts, not ${edge.specifier}`]
}

/** What Kong brings along for its plugins; only their Lua runs with it. */
const LUA_MODULE = /^(cjson|resty)\./

/** Hoisting makes an undeclared package work in this checkout and fail in a published or pruned one. */
function declared(edge: Edge, owner: Package, other: Package | undefined): string[] {
  if (edge.test || other === owner || edge.module === undefined) return []
  if (owner.folder === 'kong/plugins' && LUA_MODULE.test(edge.module)) return []
  const { manifest } = owner
  const sections = ['dependencies', 'peerDependencies', 'optionalDependencies'].map(key => member(manifest, key))
  if (sections.some(section => edge.module !== undefined && edge.module in section)) return []
  // A type-only import needs the package at build time only.
  if (edge.typeOnly && edge.module in member(manifest, 'devDependencies')) return []
  return [`${edge.module} is not among the dependencies of ${owner.folder}/package.json`]
}
