import assert from 'node:assert/strict'
import { test } from 'node:test'
import { between } from '../report.ts'
import { chart, judge, markdownReport, terminalReport } from '../rpc/command.ts'
import type { Result } from '../rpc/measure.ts'
import type { SubjectName } from '../rpc/subjects.ts'

const FIGURES = { p50Ms: 1, p99Ms: 2, cpuMicrosPerCall: 30, wakeUpsPerCall: 1.5, memoryMb: 200 }

/** Measured twice, with the same figures. */
const twice = <Figures extends object>(figures: Figures) => ({ ...figures, turns: [figures, figures] }) as never

function closed(subject: SubjectName, perSecond: number, inFlight = 64): Result {
  return twice({ subject, load: 'closed', inFlight, beside: 0, ...FIGURES, perSecond })
}

function http(subject: SubjectName, cpuMicrosPerCall: number, p99Ms: number, beside = 0): Result {
  const load = { load: 'http', inFlight: 0, beside, offeredPerSecond: 2000 } as const
  return twice({ subject, ...load, ...FIGURES, perSecond: 1999, cpuMicrosPerCall, p99Ms })
}

test('targets are met or missed at their bounds, beside the best of those that they name', () => {
  const judged = judge([
    closed('tsmicro', 110_000),
    closed('moleculer', 50_001),
    http('tsmicro', 13.9, 2.1),
    http('bare', 1, 1),
    http('bare-tuned', 20, 3),
    http('moleculer', 21, 2),
    http('tsmicro', 20, 2, 4),
    http('nestjs', 25, 2, 4),
  ])
  assert.deepEqual(
    judged.map(({ target, met }) => [target, met]),
    [
      ['64 in flight: calls a second at least 2.2 × moleculer', false],
      ['HTTP: CPU per call at most 0.7 × bare-tuned', true],
      ['HTTP: p99 at most 1 × moleculer', false],
      ['HTTP beside a load of 4: CPU per call at most 0.7 × nestjs', false],
      ['HTTP beside a load of 4: p99 at most 1 × nestjs', true],
    ],
  )
})

test('the report has a table for each load, with ratios, the cost without a call, and the targets', () => {
  const results = [closed('tsmicro', 12_345), closed('moleculer', 5000), http('tsmicro', 10, 2), http('nestjs', 25, 2)]
  const baselines = [{ beside: 0, cpuMicros: 21.5 }]
  const text = terminalReport({ results, baselines })
  assert.match(text, /^64 in flight +calls\/s +p50 ms/m)
  assert.match(text, /^tsmicro +12,345 +1\.00 +2\.00 +30\.0 +1\.50 +200$/m)
  assert.match(text, /^moleculer +5,000 .* 2\.47 \(2\.47–2\.47\) +equal \(1\.00–1\.00\)$/m)
  assert.match(text, /^HTTP, 2,000 requests a second offered/m)
  assert.match(text, /^nestjs +1,999 .* 25\.0 +1\.50 +200 +0\.40 \(0\.40–0\.40\) +equal/m)
  assert.match(text, /costs 21\.5 µs alone/)
  assert.match(text, /^met +2\.47 +64 in flight: calls a second at least 2\.2 × moleculer$/m)
  const markdown = markdownReport({ results, baselines })
  assert.match(
    markdown,
    /^\| moleculer \| 5,000 \| 1\.00 \| 2\.00 \| 30\.0 \| 1\.50 \| 200 \| 2\.47 \(2\.47–2\.47\) \|/m,
  )
  assert.match(markdown, /\| 0\.40 \| met \|/)
})

test('targets without figures are not mentioned', () => {
  const results = [closed('bare', 5000)]
  assert.deepEqual(judge(results), [])
  assert.doesNotMatch(terminalReport({ results, baselines: [] }), /met|missed|NaN|undefined/)
})

test('the chart has a bar for each figure, the longest for the largest, and none outside', () => {
  const svg = chart([closed('tsmicro', 10_000), closed('nestjs', 2500), http('tsmicro', 10, 2), http('nestjs', 40, 2)])
  const widths = [...svg.matchAll(/<rect class="(ours|bar)".*? width="([\d.]+)"/g)].map(([, , width]) => Number(width))
  assert.equal(widths.length, 4)
  const [first = 0, second = 0, third = 0, fourth = 0] = widths
  assert.ok(Math.abs(first / second - 4) < 0.01 && Math.abs(fourth / third - 4) < 0.01, widths.join())
  assert.equal(first, fourth)
  assert.match(svg, /prefers-color-scheme: dark/)
  assert.doesNotMatch(svg, /NaN|undefined/)
})

test('figures are written between the marks, repeatedly', () => {
  const page = 'before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n'
  const once = between(page, 'figures', 'new')
  assert.match(once, /^before\n<!-- figures: begin -->\n\nnew\n\n<!-- figures: end -->\nafter\n$/)
  assert.equal(between(once, 'figures', 'new'), once)
  assert.throws(() => between('a page', 'figures', 'new'), /no <!-- figures: begin -->/)
})
