import type { Module } from 'tsmicro'
import type { UserRepository } from '../api/user/repository.ts'
import type { RunInTransaction } from '../database.ts'

const SOME = 100
const LOWEST_ID = '00000000-0000-0000-0000-000000000000'
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

type Announce = NonNullable<Module['announces']>[string]

/** Announces the open accounts again, or the named one, for `tsmicro events announce`: each in its own transaction. */
export function announcingUsers(users: UserRepository, transaction: RunInTransaction): Announce {
  return async ({ aggregateId, after = LOWEST_ID }) => {
    const ids = [aggregateId ?? (await users.idsAfter(after, SOME))].flat().filter(id => UUID.test(id))
    let announced = 0
    for (const id of ids) if (await transaction(change => users.announceAgain(id, change))) announced += 1
    return aggregateId === undefined && ids.length === SOME ? { announced, next: ids.at(-1) } : { announced }
  }
}
