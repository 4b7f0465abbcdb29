import { existsSync, readFileSync } from 'node:fs'

/** An entry of the sidebar. */
interface Item {
  readonly text: string
  readonly link?: string
  readonly collapsed?: boolean
  readonly items?: readonly Item[]
}

const SIDEBAR = new URL('../reference/sidebar.json', import.meta.url)

/** The pages that `npm run docs:build` makes from docstrings. */
export const reference = (): Item[] => (existsSync(SIDEBAR) ? JSON.parse(readFileSync(SIDEBAR, 'utf8')) : [])
