import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { linksOutside } from './links-outside.ts'
import { reference } from './reference.ts'
import { slugOf } from './slug.ts'

const { repository } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

const page = (text: string, name: string) => ({ text, link: `/${name}` })

export default defineConfig({
  title: 'tsmicro',
  description: 'Declare a procedure once: served over HTTP and NATS, typed at both ends',
  // The site may be served from any folder of a host: DOCS_BASE=/tsmicro/
  base: process.env.DOCS_BASE ?? '/',
  srcExclude: ['node_modules/**'],
  markdown: {
    anchor: { slugify: slugOf },
    config: markdown => linksOutside(markdown, typeof repository === 'string' ? repository : undefined),
  },
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  themeConfig: {
    // Made at build time and part of the site: nothing is asked of anybody.
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [page('Start', 'getting-started'), page('Tutorial', 'tutorial'), page('Reference', 'reference/api/')],
    sidebar: [
      {
        text: 'Start',
        items: [
          page('Getting started', 'getting-started'),
          page('Tutorial: comments', 'tutorial'),
          page('A project of your own', 'new-project'),
          page('Examples', 'reference/examples'),
        ],
      },
      {
        text: 'Guides',
        items: [
          page('Contracts, handlers, modules', 'build-a-service'),
          page('Schemas', 'schemas'),
          page('PostgreSQL and MongoDB', 'databases'),
          page('Events', 'events'),
          page('Caching', 'caching'),
          page('Users and roles', 'auth'),
          page('Rules and repeated requests', 'rules'),
          page('Testing', 'testing'),
          page('Configuration', 'configuration'),
          page('Clients', 'clients'),
          page('Answers beyond JSON', 'answers'),
          page('Files and uploads', 'files'),
          page('Streams', 'streams'),
          page('Evolving contracts', 'evolving-contracts'),
          page('Deployment and operations', 'operations'),
          page('The gateway on its own', 'gateway'),
        ],
      },
      {
        text: 'Coming from',
        items: [
          page('goserve and gomicro', 'from-goserve'),
          page('NestJS', 'from-nestjs'),
          page('The API at a glance', 'api-at-a-glance'),
        ],
      },
      {
        text: 'Background',
        items: [
          page('Architecture', 'architecture'),
          page('Messages between services', 'messaging'),
          page('HTTP interface', 'http-api'),
          page('Benchmarks', 'benchmarks'),
          page('Releasing', 'releasing'),
        ],
      },
      { text: 'Reference', collapsed: true, items: reference() },
    ],
  },
})
