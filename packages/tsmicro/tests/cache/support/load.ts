import { setTimeout as sleep } from 'node:timers/promises'
import type { Cache } from 'tsmicro/cache'
import { until } from '../../support/until.ts'
import { random } from './random.ts'
import { type Row, Watched } from './watch.ts'

export interface Load extends AsyncDisposable {
  readonly watched: Watched
  /** Resolves after this many further hits. */
  hits(more: number): Promise<void>
  /** Resolves after this many further answered changes. */
  changes(more: number): Promise<void>
  /** Resolves after this many further answered reads. */
  reads(more: number): Promise<void>
}

/** Readers and writers that use all caches until they are disposed of, which rejects if one of them has seen a stale value. */
export function startLoad(caches: readonly Cache<Row>[], pauseMs = 5): Load {
  const watched = new Watched()
  const pick = random(11)
  let busy = true
  const delay = () => sleep(pick(3))
  const reader = async (cache: Cache<Row>) => {
    while (busy) {
      if (pick(5) === 0) await watched.look(cache)
      else await watched.read(cache, delay)
      await delay()
    }
  }
  const writer = async (cache: Cache<Row>) => {
    while (busy) {
      await watched.change(() => (pick(2) === 0 ? cache.deleteByTag('t') : cache.delete('k')))
      await sleep(pick(pauseMs * 4))
    }
  }
  let failure: unknown
  const all = Promise.all(caches.flatMap(cache => [reader(cache), reader(cache), reader(cache), writer(cache)])).catch(
    error => {
      failure = error
      busy = false
    },
  )
  const more = async (name: 'hits' | 'changes' | 'reads', by: number) => {
    const goal = watched[name] + by
    await until(`${by} more ${name}`, () => !busy || watched[name] >= goal)
    if (failure) throw failure
  }
  return {
    watched,
    hits: by => more('hits', by),
    changes: by => more('changes', by),
    reads: by => more('reads', by),
    async [Symbol.asyncDispose]() {
      busy = false
      await all
      if (failure) throw failure
    },
  }
}
