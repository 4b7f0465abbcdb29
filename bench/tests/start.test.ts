import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onlyInFull } from '../../tests/support/size.ts'
import { judge, parseOptions, start } from '../start/command.ts'
import { launch } from '../start/launch.ts'
import { type Findings, FULL, QUICK, type Result, runPlan } from '../start/measure.ts'
import { openSubjects, SUBJECTS, type SubjectName } from '../start/subjects.ts'

const never = new AbortController().signal

test('every subject starts and answers, and the blog service under load', { skip: onlyInFull }, async () => {
  const plan = { subjects: SUBJECTS, rounds: 1, idleMs: 10, requests: 2000, wholeStarts: 0 }
  const { results, afterLoad } = await runPlan(plan, never, () => {})
  assert.deepEqual(
    results.map(({ subject }) => subject),
    SUBJECTS,
  )
  for (const { startMs, cpuMs, idleMb } of results) assert.ok(startMs > 0 && cpuMs > 0 && idleMb > 10)
  assert.ok(afterLoad && afterLoad.requests >= 2000 && afterLoad.highestMb >= afterLoad.nowMb)
})

test('a program that ends before it is ready is an error that shows its output', async () => {
  const subject = { main: 'nothing-here.js', environment: {}, readyPath: '/' }
  await assert.rejects(launch(subject, never), /nothing-here\.js ended before it was ready:[\s\S]*MODULE_NOT_FOUND/)
  assert.equal((await openSubjects(['blog'], undefined)).size, 0)
})

const result = (subject: SubjectName, startMs: number, idleMb: number): Result => {
  const sample = { startMs, cpuMs: 200, idleMb }
  return { bench: 'start', subject, ...sample, turns: [sample, sample] }
}

test('targets need what they are compared with; what is measured is shown', () => {
  const findings: Findings = {
    results: [result('fastify', 200, 80), result('tsmicro', 310, 100), result('blog', 390, 131)],
    afterLoad: { requests: 30_000, nowMb: 220, highestMb: 250 },
    wholeStartsMs: [2400, 2600, 2700],
  }
  assert.deepEqual(
    judge(findings).map(({ met }) => met),
    [false, true, true, false, true, false],
  )
  const text = start.terminal(findings)
  assert.match(text, /^tsmicro +310 +1\.55 \(1\.55–1\.55\) +200 +100\.0 +1\.25 \(1\.25–1\.25\)$/m)
  assert.match(text, /^npm start: ms +2,600$/m)
  assert.match(start.markdown(findings), /\| blog after 30,000 requests: MB, highest \| 220, 250 \|/)
  const alone = { results: [result('tsmicro', 310, 100)], afterLoad: undefined, wholeStartsMs: [] }
  assert.deepEqual(judge(alone), [])
  assert.doesNotMatch(`${text}${start.terminal(alone)}${start.chart(findings)}`, /NaN|undefined/)
})

test('options', () => {
  assert.deepEqual(parseOptions([])?.plan, { ...FULL, subjects: SUBJECTS })
  const chosen = parseOptions(['--quick', '--only', 'blog', '--rounds', '2'])
  assert.deepEqual(chosen?.plan, { ...QUICK, subjects: ['blog'], rounds: 2, wholeStarts: 0 })
  assert.throws(() => parseOptions(['--only', 'nginx']), Error)
})
