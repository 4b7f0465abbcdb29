const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * The names that the gateway answers to: `GATEWAY_HOSTS`, a list with commas, beside those of this machine for itself; `*` is any.
 * Without it, one that this machine alone can reach answers to its own names, and one that others reach to any: what they call it
 * cannot be known. Undefined = any.
 */
export function hostsOf(listenOn: string, env: NodeJS.ProcessEnv): readonly string[] | undefined {
  const named = (env.GATEWAY_HOSTS ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
  if (named.includes('*')) return undefined
  const isLocal = listenOn === 'localhost' || listenOn === '::1' || /^127\.[\d.]+$/.test(listenOn)
  if (named.length === 0 && !isLocal) return undefined
  const own = isLocal ? [listenOn.includes(':') ? `[${listenOn}]` : listenOn] : []
  return [...new Set([...LOOPBACK, ...own, ...named])]
}
