import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** An entry of the sidebar. */
interface Item {
  readonly text: string
  readonly link?: string
  readonly collapsed?: boolean
  readonly items?: Item[]
}

const DOCS = new URL('../', import.meta.url)

/** Pages by what they are for, with their names in the sidebar. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Start: {
    'getting-started': 'Getting started',
    tutorial: 'Tutorial: comments',
    'new-project': 'A project of your own',
    development: 'Development: follow your changes',
    'reference/examples': 'Examples',
  },
  Guides: {
    'build-a-service': 'Contracts, handlers, modules',
    schemas: 'Schemas',
    databases: 'PostgreSQL and MongoDB',
    events: 'Events',
    caching: 'Caching',
    auth: 'Users and roles',
    rules: 'Rules and repeated requests',
    testing: 'Testing',
    configuration: 'Configuration',
    explorer: 'Explorer',
    clients: 'Clients',
    answers: 'Answers beyond JSON',
    files: 'Files and uploads',
    streams: 'Streams',
    'evolving-contracts': 'Evolving contracts',
    operations: 'Deployment and operations',
    gateway: 'The gateway on its own',
  },
  'Coming from': {
    'from-goserve': 'goserve and gomicro',
    'from-nestjs': 'NestJS',
    'api-at-a-glance': 'The API at a glance',
  },
  Background: {
    architecture: 'Architecture',
    messaging: 'Messages between services',
    'http-api': 'HTTP interface',
    benchmarks: 'Benchmarks',
    releasing: 'Releasing',
  },
}

export function sidebar(): Item[] {
  const groups = Object.entries(GROUPS).map(([text, pages]) => ({
    text,
    items: Object.entries(pages).map(([name, title]) => ({ text: title, link: `/${name}` })),
  }))
  const others = otherPages()
  return [
    ...groups,
    ...(others.length > 0 ? [{ text: 'More', items: others }] : []),
    { text: 'Reference', collapsed: true, items: reference() },
  ]
}

/** Pages that no group names yet, by their titles. */
function otherPages(): Item[] {
  const known = new Set(['index', ...Object.values(GROUPS).flatMap(pages => Object.keys(pages))])
  return globSync('*.md', { cwd: fileURLToPath(DOCS) })
    .map(file => file.replace(/\.md$/, ''))
    .filter(name => !known.has(name))
    .sort()
    .map(name => {
      const [, title = name] = /^# (.*)/m.exec(readFileSync(new URL(`${name}.md`, DOCS), 'utf8')) ?? []
      return { text: title, link: `/${name}` }
    })
}

/** The pages that `npm run docs:build` makes from docstrings. */
function reference(): Item[] {
  const list = new URL('reference/sidebar.json', DOCS)
  return existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : []
}
