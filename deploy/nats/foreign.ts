import type { natsPermissionsOf } from 'tsmicro/contract'

/**
 * Services in other languages that take part: what each of them answers, announces, calls and hears. `npx tsmicro generate` gives them users
 * and streams as it does for our own. See docs/messaging.md, "Programs in other languages".
 */
export const FOREIGN: readonly Parameters<typeof natsPermissionsOf>[0][] = []
