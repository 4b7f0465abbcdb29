import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { linksOutside } from './links-outside.ts'
import { sidebar } from './sidebar.ts'
import { slugOf } from './slug.ts'

const { repository } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

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
    nav: [
      { text: 'Start', link: '/getting-started' },
      { text: 'Tutorial', link: '/tutorial' },
      { text: 'Reference', link: '/reference/api/' },
    ],
    sidebar: sidebar(),
  },
})
