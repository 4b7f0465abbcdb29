import { createHttpClient } from 'tsmicro/client'
import { front } from './contracts.ts'

export const { hello } = createHttpClient(front, { baseUrl: 'http://localhost' })
