import { conform } from './conform.ts'
import { openLoopback } from './network/loopback.ts'

conform(openLoopback)
