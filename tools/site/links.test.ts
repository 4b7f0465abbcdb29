import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { problemsOf } from './links.ts'

test('a link, an anchor or a picture that leads nowhere is found, and what another host would have to send', async t => {
  const site = await mkdtemp(join(tmpdir(), 'site-'))
  t.after(() => rm(site, { recursive: true }))
  await mkdir(join(site, 'guide'))
  await writeFile(
    join(site, 'index.html'),
    '<h1 id="top">Hello</h1><a href="/docs/guide/">guide</a><a href="https://example.org/">away</a>',
  )
  await writeFile(
    join(site, 'guide/index.html'),
    `<a href="../index.html#top">fine</a><a href="/docs/index.html#bottom">anchor</a><a href="/guide/">outside of the base</a>
    <img src="missing.png"><script src="https://cdn.example.org/x.js"></script><link rel="icon" href="//cdn.example.org/i.png">`,
  )
  await writeFile(
    join(site, 'style.css'),
    'a { background: url("https://cdn.example.org/a.png") } b { background: url(a.png) }',
  )
  const { problems, links } = problemsOf(site, '/docs/')
  assert.deepEqual(problems.toSorted(), [
    'guide/index.html fetches //cdn.example.org/i.png',
    'guide/index.html fetches https://cdn.example.org/x.js',
    'guide/index.html links to /docs/index.html#bottom, but there is no such heading',
    'guide/index.html links to /guide/, which does not exist',
    'guide/index.html links to missing.png, which does not exist',
    'style.css fetches https://cdn.example.org/a.png',
  ])
  assert.equal(links, 8)
})
