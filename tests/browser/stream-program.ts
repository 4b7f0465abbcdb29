/** Runs in a browser's page: follows the blogs with the client and with the browser's own `EventSource`, and reports what each was sent. */
import { reading } from '@blog-platform/blog-contract'
import { createHttpClient } from 'tsmicro/client'

const { apiKey } = (await (await fetch('/setting')).json()) as { readonly apiKey: string }
const slugs: Record<'client' | 'source', string[]> = { client: [], source: [] }
// The test cuts connections.
const report = (what: object) => fetch('/report', { method: 'POST', body: JSON.stringify(what) }).catch(() => {})

const source = new EventSource('/api/blog/published/stream')
source.addEventListener('message', ({ data }) => {
  slugs.source.push(JSON.parse(data).slug)
  report(slugs)
})

try {
  const blogs = createHttpClient(reading, { baseUrl: '/api/blog', headers: { 'X-Api-Key': apiKey } })
  for await (const { slug } of blogs.follow()) {
    slugs.client.push(slug)
    report(slugs)
  }
} catch (error) {
  report({ failed: String(error instanceof Error ? error.stack : error) })
}
