import { parseArgs } from 'node:util'
import { startDocumentServer } from './server.ts'

const help = `document-server: an embedded stand-in for MongoDB, for development and tests

  --dir DIR              where the data is kept (made when missing)
  --port PORT            TCP port; 0 takes a free one (default 27017)
  --host HOST            address to listen on (default 127.0.0.1; there is no access control)
  --durability MODE      full: acknowledged writes survive power loss (default); process: the end of the process
  --help                 this text
`

function parse(): { dir: string; port: number; host: string; durability: 'full' | 'process' } | undefined {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      port: { type: 'string', default: '27017' },
      host: { type: 'string', default: '127.0.0.1' },
      durability: { type: 'string', default: 'full' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { dir, host, durability } = values
  if (dir === undefined || dir === '') throw new Error('--dir is missing: say where the data is to be kept')
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw new Error(`--port ${values.port} is not a port: use 0 to 65535`)
  if (durability !== 'full' && durability !== 'process')
    throw new Error(`--durability ${durability} is unknown: use full or process`)
  return { dir, port, host, durability }
}

async function main(): Promise<void> {
  const options = parse()
  if (!options) {
    process.stdout.write(help)
    return
  }
  const server = await startDocumentServer(options)
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void server.close().then(() => process.exit(0)))
  process.stdout.write(`document-server ready on ${server.url}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`document-server: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
