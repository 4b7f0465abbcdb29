import type { Check } from './check.ts'
import { cycles } from './imports/cycles.ts'
import { framework } from './imports/framework.ts'
import { type Edge, graphOf } from './imports/graph.ts'
import { internal } from './imports/internal.ts'
import { betweenPackages } from './imports/packages.ts'
import { stores } from './imports/stores.ts'

export const imports: Check = {
  name: 'imports',
  promise:
    'imports go in one direction, through doors, from declared packages, and in no circle; services and examples never import tsmicro/internal',
  run: root => {
    const { edges, packages } = graphOf(root)
    const said = (edge: Edge) =>
      [...framework(edge), ...betweenPackages(edge, packages), ...internal(edge), ...stores(edge)].map(
        problem => `${edge.from}:${edge.line} ${problem}`,
      )
    return { problems: [...edges.flatMap(said), ...cycles(edges)], note: `${edges.length} imports` }
  },
}
