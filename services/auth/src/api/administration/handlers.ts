import { administration } from '@blog-platform/auth-contract'
import { type Implementation, implement } from 'tsmicro'
import type { AdministrationService } from './service.ts'

/** What administrators do with users. */
export function administrationHandlers(service: AdministrationService): Implementation {
  return implement(administration, { setRoles: ({ input: { id, roles } }) => service.setRoles(id, roles) })
}
