import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Server, startNats } from '@tsmicro/infra'

/** A nats-server that takes 4 KiB per message, so that messages that are too long can be short. */
export async function smallNats(): Promise<Server> {
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-wire-'))
  const file = join(directory, 'nats.conf')
  await writeFile(file, 'max_payload: 4096\n')
  const server = await startNats({ ephemeral: true, extraArgs: ['-c', file] })
  await rm(directory, { recursive: true, force: true })
  return server
}
