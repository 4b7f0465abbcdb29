import type { PluginEntry } from '../config/model.ts'
import { configError } from '../config/section.ts'
import { apikeyAuth } from './apikey-auth/plugin.ts'
import { correlationId } from './correlation-id.ts'
import { cors } from './cors.ts'
import type { AccessPlugin, PluginEnvironment, PluginKind } from './plugin.ts'
import { rateLimiting } from './rate-limiting.ts'
import { requestSizeLimiting } from './request-size-limiting.ts'
import { signRequest } from './sign-request.ts'
import { stripPrefix } from './strip-prefix.ts'

const KINDS: ReadonlyMap<string, PluginKind> = new Map(
  [apikeyAuth, correlationId, cors, rateLimiting, requestSizeLimiting, signRequest, stripPrefix].map(kind => [
    kind.name,
    kind,
  ]),
)

/**
 * Makes each configured plugin once, and finds the plugins of a route. Entries with the same configuration share one plugin, so
 * fifty routes that need the same permission share what is known about a key.
 */
export class PluginSet {
  readonly #made = new Map<PluginEntry, AccessPlugin>()
  /** By identity: the config of plugins that are shared, the owner of plugins that are not. */
  readonly #byId = new Map<string, AccessPlugin>()
  readonly #environment: PluginEnvironment

  constructor(environment: PluginEnvironment) {
    this.#environment = environment
  }

  /**
   * Also makes plugins that no route uses, so that an unknown plugin never goes unnoticed. `owner` describes what the entries belong
   * to, in the same words after a reload. Throws `GatewayConfigError`.
   */
  make(entries: readonly PluginEntry[], owner: string): void {
    for (const entry of entries) {
      const kind = kindOf(entry)
      const id = this.#idOf(entry, kind, owner)
      // A disabled plugin must be known and configured correctly, too, but keeps nothing open.
      const plugin = this.#byId.get(id) ?? kind.configure(entry.config, this.#environment)
      // Stored before its config is checked completely, so that it is closed even if that fails.
      this.#made.set(entry, plugin)
      if (!this.#byId.has(id)) entry.config.finish()
      this.#byId.set(id, plugin)
    }
  }

  #idOf({ name, config, place }: PluginEntry, { perEntry }: PluginKind, owner: string): string {
    if (perEntry !== true) return `${name} ${config.text()}`
    // Of two routes that match exactly the same requests, only the first is ever reached.
    const id = `${name} ${owner}`
    return this.#byId.has(id) ? `${id} ${place}` : id
  }

  /** The most specific entry of each name wins (route, then service, then global). Plugins with a higher priority run first. */
  select(...levels: readonly (readonly PluginEntry[])[]): AccessPlugin[] {
    const chosen = new Map<string, PluginEntry>()
    for (const level of levels) {
      for (const entry of level) if (entry.enabled && !chosen.has(entry.name)) chosen.set(entry.name, entry)
    }
    const ordered = [...chosen.values()].sort((a, b) => kindOf(b).priority - kindOf(a).priority)
    return ordered.map(entry => this.#made.get(entry)).filter(plugin => plugin !== undefined)
  }

  /** Takes over the state of the plugins of an earlier config. */
  inherit(earlier: PluginSet): void {
    for (const [id, plugin] of this.#byId) {
      const predecessor = earlier.#byId.get(id)
      if (predecessor !== undefined) plugin.inherit?.(predecessor)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...new Set(this.#made.values())].map(plugin => plugin.close?.()))
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
