import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { inFull } from '../support/size.ts'
import { assertAnswer } from './answers.ts'
import { type Block, blocksOf, fileOf, sourceOf } from './markdown.ts'
import { RunningSystem } from './running-system.ts'
import { Terminal } from './terminal.ts'

export interface PageOptions {
  readonly page: string
  readonly directory: string
  readonly env: NodeJS.ProcessEnv
  /** Ports on the page → names in the table of addresses, for machines where the usual ports are taken. */
  readonly ports: Readonly<Record<string, string>>
  /** Blocks that are not run. */
  readonly skip?: (block: Block) => boolean
}

/** Languages whose blocks are files. */
const WRITTEN: ReadonlySet<string> = new Set(['ts', 'sql', 'yml'])

/**
 * Follows a page from top to bottom: writes its files, runs its commands, and compares their output with the block that follows. A command
 * that starts a system runs until the end of the page and is then ended as by Ctrl-C.
 */
export async function followPage({ page, directory, env, ports, skip = () => false }: PageOptions): Promise<void> {
  const markdown = await readFile(join(directory, page), 'utf8')
  await using terminal = new Terminal(directory, env)
  let system: RunningSystem | undefined
  let printed = ''
  const here = (code: string) =>
    Object.entries(ports).reduce((text, [port, name]) => {
      return system ? text.replaceAll(`http://localhost:${port}`, system.addressOf(name)) : text
    }, withoutInstall(code))
  try {
    for (const block of blocksOf(page, markdown)) {
      const file = fileOf(block)
      if (skip(block) || sourceOf(block)) continue
      if (WRITTEN.has(block.language)) {
        assert.ok(file, `${block.place}: a ${block.language} block begins with the name of its file`)
        await mkdir(dirname(join(directory, file)), { recursive: true })
        await writeFile(join(directory, file), block.code)
      } else if (block.language === 'sh' && /npm start/.test(block.code)) {
        system = await RunningSystem.start(withoutInstall(block.code), directory, env)
      } else if (block.language === 'sh') {
        assert.equal(printed.trim(), '', `${block.place}: the page does not show the output of the commands before it`)
        printed = await terminal.run(here(block.code)).catch(error => assert.fail(`${block.place}: ${error.message}`))
      } else if (block.language === 'json') {
        assertAnswer(block.place, printed, block.code)
        printed = ''
      } else if (block.language === 'text') {
        assert.ok(printed.startsWith(block.code), `${block.place}: printed ${JSON.stringify(printed)}`)
        printed = printed.slice(block.code.length)
      } else assert.fail(`${block.place}: a block of language "${block.language}" cannot be run`)
    }
    assert.equal(await system?.interrupt(), system && 0, `${page}: exit code after Ctrl-C`)
  } finally {
    await system?.[Symbol.asyncDispose]()
  }
}

/** By hand, the checkout already has what `npm ci` would install: see `freshCheckout`. */
function withoutInstall(code: string): string {
  return inFull ? code : code.replace(/^npm ci( && |$)/gm, '')
}
