import { setTimeout as pause } from 'node:timers/promises'
import { inBackground, type Log } from 'tsmicro'
import type { UserRepository } from '../api/user/repository.ts'
import type { RunInTransaction } from '../database.ts'

const SOME = 100
const RETRY_MS = 5000
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Announces the users that were not announced with their changes: see `UserRepository.announceSome`. The service is ready meanwhile. What
 * a stop leaves is announced after the next start.
 */
export function announceFormerUsers(users: UserRepository, transaction: RunInTransaction, log: Log): void {
  const announceAll = async (signal: AbortSignal) => {
    for (let more = true; more && !signal.aborted; ) {
      try {
        more = await transaction(change => users.announceSome(SOME, change))
      } catch (err) {
        log.warn({ err }, 'users could not be announced; trying again')
        await pause(RETRY_MS, undefined, { signal })
      }
    }
  }
  void inBackground(announceAll, { name: 'announcing users', timeoutMs: DAY_MS, log })
}
