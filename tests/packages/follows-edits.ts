import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** `npm run dev`: the new code answers after an edit, a mistake in types keeps the old one, and no request fails. */
export async function followsEdits(shop: string, env: NodeJS.ProcessEnv): Promise<void> {
  const system = spawn('npm', ['run', 'dev'], { cwd: shop, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(system, 'exit')
  let output = ''
  system.stdout.on('data', chunk => {
    output += chunk
  })
  const untilSaid = async (pattern: RegExp): Promise<string> => {
    for (const end = Date.now() + 120_000; !pattern.test(output); await sleep(50))
      if (Date.now() > end || system.exitCode !== null) throw new Error(`${pattern} was not said:\n${output}`)
    return pattern.exec(output)?.[0] ?? ''
  }
  try {
    await untilSaid(/Ctrl-C stops everything/)
    // Of the table: that of its process, which the log tells, changes.
    const address = (await untilSaid(/^ {2}shop +http:\/\/\S+/m)).trim().split(/\s+/)[1]
    const greeting = async () => {
      const answer = await fetch(new URL('/shop/greet/Ada', address))
      assert.equal(answer.status, 200)
      return ((await answer.json()) as { data: { text: string } }).data.text
    }
    const handlers = join(shop, 'services/shop/handlers.ts')
    const source = await readFile(handlers, 'utf8')
    assert.match(source, /return { text: `Hello/)
    await writeFile(handlers, source.replace('Hello', 'Welcome'))
    for (const end = Date.now() + 120_000; (await greeting()) !== 'Welcome, Ada!'; await sleep(20))
      assert.ok(Date.now() < end, output)
    await writeFile(handlers, source.replace('return { text:', 'return { txt:'))
    await untilSaid(/✗ services\/shop\/handlers\.ts:\d+:\d+ TS\d+: [^✗]*'{ txt: string/)
    assert.equal(await greeting(), 'Welcome, Ada!')
  } finally {
    process.kill(-(system.pid ?? 0), 'SIGINT')
    await ended
  }
}
