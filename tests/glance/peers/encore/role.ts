import { APIError, api } from 'encore.dev/api'
import { getAuthData } from '~encore/auth'

function needsRole(role: string) {
  if (!getAuthData()?.roles.includes(role)) throw APIError.permissionDenied(`only for ${role}`)
}

export const forget = api(
  { method: 'DELETE', path: '/names/:name', expose: true, auth: true },
  async ({ name }: { name: string }): Promise<{ forgotten: string }> => {
    needsRole('EDITOR')
    return { forgotten: name }
  },
)
