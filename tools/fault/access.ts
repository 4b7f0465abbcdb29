import { describe, LEASE_MS, type Outcome, openRaces } from '../../tests/support/access/races.ts'

/** Races of requests against the loss of access, without and amid faults. Resolves to those that were lost. */
export async function raceForAccess(
  count: number,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<readonly string[]> {
  await using races = await openRaces()
  const findings: string[] = []
  const tell = (found: ReadonlyMap<string, readonly Outcome[]>) => {
    for (const [way, outcomes] of found) {
      const { line, late } = describe(way, outcomes)
      say(line)
      for (const { passedMs } of late)
        findings.push(`${way}: a request passed that began ${Math.round(passedMs)} ms later, more than ${LEASE_MS}`)
    }
  }
  say('with everything healthy, how long requests passed after the change had been answered:')
  tell(await races.everyWay(count / 2))
  signal.throwIfAborted()
  say('while auth, NATS and the verifier freeze in turn, and an auth instance dies:')
  tell(await races.amidFaults(() => races.everyWay(count / 2)))
  return findings
}
