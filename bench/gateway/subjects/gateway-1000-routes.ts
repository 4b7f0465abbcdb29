import { openRouted } from '../routed-gateway.ts'
import type { Subject } from '../subject.ts'

export const subject: Subject = { open: upstreamPort => openRouted(upstreamPort, 1000) }
