import { configError } from '../config/config-error.ts'
import type { PluginEntry } from '../config/model.ts'
import { apikeyAuth } from './apikey-auth/plugin.ts'
import { correlationId } from './correlation-id/plugin.ts'
import { cors } from './cors/plugin.ts'
import type { AccessPlugin, PluginEnvironment, PluginKind } from './plugin.ts'
import { rateLimiting } from './rate-limiting/plugin.ts'
import { requestSizeLimiting } from './request-size-limiting/plugin.ts'
import { signRequest } from './sign-request/plugin.ts'
import { stripPrefix } from './strip-prefix/plugin.ts'

const KINDS: ReadonlyMap<string, PluginKind> = new Map(
  [apikeyAuth, correlationId, cors, rateLimiting, requestSizeLimiting, signRequest, stripPrefix].map(kind => [
    kind.name,
    kind,
  ]),
)

/**
 * Makes each configured plugin once and finds those of a route. Entries with the same configuration are one plugin: fifty
 * routes that ask for the same permission share what is known of a key.
 */
export class PluginSet {
  readonly #made = new Map<PluginEntry, AccessPlugin>()
  /** By what they may be found again: the config of those that are shared, the place of those that are not. */
  readonly #alike = new Map<string, AccessPlugin>()
  readonly #environment: PluginEnvironment

  constructor(environment: PluginEnvironment) {
    this.#environment = environment
  }

  /**
   * Also makes what no route uses, so that an unknown plugin never goes unnoticed. `owner` is what the entries belong to, in words
   * that stay the same over a reload. Throws `GatewayConfigError`.
   */
  make(entries: readonly PluginEntry[], owner: string): void {
    for (const entry of entries) {
      const kind = kindOf(entry)
      // A plugin that is switched off must be known and well configured too, but holds nothing open.
      const id = this.#idOf(entry, kind, owner)
      const plugin = this.#alike.get(id) ?? kind.configure(entry.config, this.#environment)
      // Kept before its faults are looked for, so that it is closed whatever they are.
      this.#made.set(entry, plugin)
      if (!this.#alike.has(id)) entry.config.finish()
      this.#alike.set(id, plugin)
    }
  }

  #idOf({ name, config, place }: PluginEntry, { perEntry }: PluginKind, owner: string): string {
    if (perEntry !== true) return `${name} ${config.text()}`
    // Of two routes that match the very same, only the first is ever reached.
    const id = `${name} ${owner}`
    return this.#alike.has(id) ? `${id} ${place}` : id
  }

  /** The most specific entry of each name wins (route, then service, then global); higher priority runs first. */
  select(...levels: readonly (readonly PluginEntry[])[]): AccessPlugin[] {
    const chosen = new Map<string, PluginEntry>()
    for (const level of levels) {
      for (const entry of level) if (entry.enabled && !chosen.has(entry.name)) chosen.set(entry.name, entry)
    }
    const ordered = [...chosen.values()].sort((a, b) => kindOf(b).priority - kindOf(a).priority)
    return ordered.map(entry => this.#made.get(entry)).filter(plugin => plugin !== undefined)
  }

  /** Goes on with what the plugins of an earlier config know. */
  inherit(earlier: PluginSet): void {
    for (const [id, plugin] of this.#alike) {
      const predecessor = earlier.#alike.get(id)
      if (predecessor !== undefined) plugin.inherit?.(predecessor)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...new Set(this.#made.values())].map(plugin => plugin.close()))
  }
}

function kindOf(entry: PluginEntry): PluginKind {
  const kind = KINDS.get(entry.name)
  if (kind === undefined) {
    const known = [...KINDS.keys()].join(', ')
    throw configError(entry.place, `plugin "${entry.name}" is not supported by this gateway (it has: ${known})`)
  }
  return kind
}
