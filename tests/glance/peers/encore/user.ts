import { api } from 'encore.dev/api'

export const forget = api(
  { method: 'DELETE', path: '/names/:name', expose: true, auth: true },
  async ({ name }: { name: string }): Promise<{ forgotten: string }> => {
    return { forgotten: name }
  },
)
