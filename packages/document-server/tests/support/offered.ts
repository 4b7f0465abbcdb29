import { accumulators } from '../../src/aggregate/accumulators.ts'
import { stageNames } from '../../src/aggregate/pipeline.ts'
import { operators } from '../../src/expression/operators.ts'
import { logicalOperators } from '../../src/query/match.ts'
import { fieldOperators } from '../../src/query/operators.ts'
import { findProjections } from '../../src/query/projection.ts'
import { pushModifiers } from '../../src/update/operators.ts'
import { updateOperatorNames } from '../../src/update/update.ts'

const sorted = (...names: readonly string[]): string[] => [...new Set(names)].sort()

/** Every operator that the server offers, from the tables by which it finds them. */
export const offered = {
  Filters: sorted(...Object.keys(fieldOperators), ...Object.keys(logicalOperators), '$text'),
  Projections: sorted(...Object.keys(findProjections)),
  Updates: sorted(...updateOperatorNames, ...pushModifiers),
  Stages: sorted(...stageNames),
  Accumulators: sorted(...Object.keys(accumulators)),
  Expressions: sorted(...Object.keys(operators)),
}

/** How the README lists them. */
export const readmeLines = (): string[] =>
  Object.entries(offered).map(([subject, names]) => `**${subject}**: \`${names.join(' ')}\``)
