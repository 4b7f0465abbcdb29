#!/usr/bin/env node
// The `tsmicro` command, which runs on any installed Node. The rest is TypeScript, which the pinned Node of the workspace runs as it is.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const node = pinnedNode() ?? ownNode()
if (node === undefined) {
  process.stderr.write(
    `tsmicro: Node ${process.versions.node} is too old, and the one that comes with the workspace is not installed: run npm ci, or use Node 22.18 or newer\n`,
  )
  process.exitCode = 1
} else {
  run(node)
}

/** @param {string} node */
function run(node) {
  const main = fileURLToPath(import.meta.resolve('@tsmicro/cli/main'))
  const flags = ['--disable-warning=ExperimentalWarning']
  const child = spawn(node, [...flags, main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    process.stderr.write(`tsmicro: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
  })
}

function pinnedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`)
    return join(dirname(manifest), 'bin', 'node')
  } catch {
    return undefined
  }
}

function ownNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18) ? process.execPath : undefined
}
