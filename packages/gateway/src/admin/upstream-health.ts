import type { Target } from '../balancing/target.ts'
import type { Upstream } from '../balancing/upstream.ts'

/** `GET /upstreams/<name>/health` in Kong's shape. */
export function upstreamHealth(upstream: Upstream): object {
  const data = upstream.balancer.targets.map(target => {
    const health = healthOf(upstream, target)
    const { hostname: ip, port } = new URL(`http://${target.address}`)
    const address = { ip, port: Number(port || 80), weight: target.weight, health }
    return {
      target: target.name,
      weight: target.weight,
      health,
      upstream: { name: upstream.config.name },
      data: { addresses: [address] },
    }
  })
  return { data, next: null }
}

export function findTarget({ balancer }: Upstream, name: string): Target | undefined {
  return balancer.targets.find(target => target.name === name)
}

function healthOf(upstream: Upstream, target: Target): 'HEALTHY' | 'UNHEALTHY' | 'HEALTHCHECKS_OFF' {
  if (!upstream.balancer.isHealthy(target)) return 'UNHEALTHY'
  return upstream.isChecked ? 'HEALTHY' : 'HEALTHCHECKS_OFF'
}
