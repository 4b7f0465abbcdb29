import { Long } from 'bson'
import { isNumeric } from '../bson/numbers.ts'
import { CommandError } from '../errors.ts'
import type { Command } from './command.ts'

function cursorId(value: unknown): Long {
  if (value instanceof Long) return value
  if (isNumeric(value)) return Long.fromString(value.toString())
  throw new CommandError('TypeMismatch', 'a cursor id must be a long')
}

const getMore: Command = {
  options: ['getMore', 'collection', 'batchSize'],
  run(request, engine) {
    const { options } = request
    const namespace = `${request.database}.${options.text('collection') ?? ''}`
    const size = options.count('batchSize')
    return engine.cursors.more(
      cursorId(options.raw('getMore')),
      namespace,
      size === 0 ? undefined : size,
      request.client,
    )
  },
}

const killCursors: Command = {
  options: ['killCursors', 'cursors'],
  run(request, engine) {
    const ids = (request.options.array('cursors') ?? []).map(cursorId)
    const killed = ids.map(id => ({ id, known: engine.cursors.kill(id) }))
    return {
      cursorsKilled: killed.filter(({ known }) => known).map(({ id }) => id),
      cursorsNotFound: killed.filter(({ known }) => !known).map(({ id }) => id),
      cursorsAlive: [],
      cursorsUnknown: [],
    }
  },
}

export const cursorCommands: Readonly<Record<string, Command>> = { getMore, killCursors }
