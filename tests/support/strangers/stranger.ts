// What another user of the machine tries: one task per line of JSON, each answered by a line. Runs as `nobody`, without anything of ours.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, type NetConnectOpts } from 'node:net'
import { createInterface } from 'node:readline'
import type { Ends, Task } from './as-nobody.ts'

const LIMIT_MS = 5000

/** In MongoDB's wire protocol, a message begins with its length. */
function isWhole(heard: Buffer): boolean {
  return heard.length >= 4 && heard.length >= heard.readInt32LE(0)
}

/** Everything a server answers to these bytes until it ends the connection, in latin1. */
function talk(where: NetConnectOpts, bytes: Buffer, ends: Ends = 'us'): Promise<string> {
  return new Promise(resolve => {
    let heard = ''
    const socket = connect({ ...where, allowHalfOpen: true }, () =>
      ends === 'us' ? socket.end(bytes) : socket.write(bytes),
    )
    const timer = setTimeout(() => socket.destroy(), LIMIT_MS)
    socket.on('data', chunk => {
      heard += chunk.toString('latin1')
      if (ends === 'message' && isWhole(Buffer.from(heard, 'latin1'))) socket.end()
    })
    socket.on('end', () => socket.end())
    socket.on('error', error => {
      heard += ` (${'code' in error ? error.code : error.message})`
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(heard)
    })
  })
}

function attempt(work: () => string): string {
  try {
    return `done: ${work()}`
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

async function run(task: Task): Promise<string> {
  switch (task.kind) {
    case 'talk':
      return talk({ port: task.port, host: '127.0.0.1' }, Buffer.from(task.bytes, 'latin1'), task.ends)
    case 'talk-local':
      return talk({ path: task.path }, Buffer.from(task.bytes, 'latin1'))
    case 'read':
      return attempt(() => readFileSync(task.path, 'latin1'))
    case 'list':
      return attempt(() => readdirSync(task.path).join(' '))
    case 'write':
      return attempt(() => {
        writeFileSync(task.path, 'a stranger was here')
        return task.path
      })
    case 'mkdir':
      return attempt(() => String(mkdirSync(task.path)))
    case 'signal':
      return attempt(() => String(process.kill(task.pid, 0)))
  }
}

const tasks: Task[] = []
for await (const line of createInterface({ input: process.stdin })) tasks.push(JSON.parse(line) as Task)
const AT_ONCE = 16
for (let first = 0; first < tasks.length; first += AT_ONCE)
  for (const answer of await Promise.all(tasks.slice(first, first + AT_ONCE).map(run)))
    process.stdout.write(`${JSON.stringify(answer)}\n`)
