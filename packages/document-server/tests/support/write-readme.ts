import { readFileSync, writeFileSync } from 'node:fs'
import { readmeLines } from './offered.ts'

/** `npm run docs:operators`: brings the lists of operators in the README up to date. */
const file = new URL('../../README.md', import.meta.url)
const text = readFileSync(file, 'utf8')
writeFileSync(
  file,
  readmeLines().reduce(
    (page, line) => page.replace(new RegExp(`^${line.split(':')[0]?.replaceAll('*', '\\*')}: .*$`, 'm'), () => line),
    text,
  ),
)
