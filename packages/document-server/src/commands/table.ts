import { aggregateCommands } from './aggregate.ts'
import { collectionCommands } from './collections.ts'
import type { Command } from './command.ts'
import { cursorCommands } from './cursor.ts'
import { findCommands } from './find.ts'
import { findAndModifyCommands } from './find-and-modify.ts'
import { handshakeCommands } from './handshake.ts'
import { indexCommands } from './indexes.ts'
import { insertCommands } from './insert.ts'
import { saslCommands } from './sasl.ts'
import { updateCommands } from './update.ts'

/** Every command this server knows; any other name is refused with code 59. */
export const commands: Readonly<Record<string, Command>> = {
  ...handshakeCommands,
  ...saslCommands,
  ...insertCommands,
  ...updateCommands,
  ...findAndModifyCommands,
  ...findCommands,
  ...cursorCommands,
  ...aggregateCommands,
  ...collectionCommands,
  ...indexCommands,
}
