import { conform } from './conform.ts'
import { openServer } from './network/server.ts'

conform(openServer)
