import { createHttpClient } from 'tsmicro/client'
import { front } from './contracts.ts'

const { hello } = createHttpClient(front, { baseUrl: 'http://localhost' })
console.log(await hello({ name: 'Ada' }))
