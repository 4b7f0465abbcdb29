import { Balancer } from '../balancing/balancer.ts'
import { targetOf } from '../balancing/target.ts'
import type { Upstream } from '../balancing/upstream.ts'
import type { Resolver } from './resolver.ts'

/** Finds who balances the requests to a host of the config. */
export type BalancerFinder = (address: { readonly host: string; readonly port: number }) => Balancer

/** A host that names an upstream means its targets, whatever the port; any other is a target by itself. */
export function balancerFinder(upstreams: ReadonlyMap<string, Upstream>, resolve: Resolver): BalancerFinder {
  return address =>
    upstreams.get(address.host)?.balancer ?? new Balancer({ targets: [targetOf(address, 100, resolve)] })
}
