/** Bare Fastify with one route and its schemas. It listens on PORT. */
import { fastify } from 'fastify'

const app = fastify({ logger: true })
const schema = {
  params: { type: 'object', properties: { name: { type: 'string', maxLength: 40 } }, required: ['name'] },
  response: { 200: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } },
}
app.get<{ Params: { name: string } }>('/greet/:name', { schema }, ({ params }) => ({ text: `Hello ${params.name}` }))
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
