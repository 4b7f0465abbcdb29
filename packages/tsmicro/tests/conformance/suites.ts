import { access } from './access.ts'
import { answers } from './answers.ts'
import { background } from './background.ts'
import { batch } from './batch.ts'
import { batchReplies } from './batch-replies.ts'
import { broadcast } from './broadcast.ts'
import { calls } from './calls.ts'
import { cancel } from './cancel.ts'
import { crowded } from './crowded.ts'
import { delivery } from './delivery.ts'
import { discovery } from './discovery.ts'
import { doors } from './doors.ts'
import { draining } from './draining.ts'
import { effects } from './effects.ts'
import { eventFaults } from './event-faults.ts'
import { eventLimits } from './event-limits.ts'
import { eventOrder } from './event-order.ts'
import { events } from './events.ts'
import { everyInstance } from './every-instance.ts'
import { excused } from './excused.ts'
import { faulty } from './faulty.ts'
import { faultyFlows } from './faulty-flows.ts'
import { fileProperty } from './file-property.ts'
import { files } from './files.ts'
import { flowLimits } from './flow-limits.ts'
import { flowProperty } from './flow-property.ts'
import { flows } from './flows.ts'
import { forgotten } from './forgotten.ts'
import { handlers } from './handlers.ts'
import { hops } from './hops.ts'
import { hostile } from './hostile.ts'
import { idempotent } from './idempotent.ts'
import { jetStream } from './jetstream.ts'
import { largeLetters } from './large-letters.ts'
import { lazyWork } from './lazy.ts'
import { loss } from './loss.ts'
import { lostCallers } from './lost-callers.ts'
import type { OpenNetwork } from './network/network.ts'
import { overload } from './overload.ts'
import { permissions } from './permissions.ts'
import { platform } from './platform.ts'
import { poison } from './poison.ts'
import { pulls } from './pulls.ts'
import { replies } from './replies.ts'
import { resumed } from './resumed.ts'
import { rules } from './rules.ts'
import { shapes } from './shapes.ts'
import { sharing } from './sharing.ts'
import { stack } from './stack.ts'
import { streams } from './streams.ts'
import { versions } from './versions.ts'
import { wire } from './wire.ts'

/** What every transport has to do: each suite opens networks of its own and declares its tests. */
export const SUITES: Readonly<Record<string, (open: OpenNetwork) => Promise<void>>> = {
  delivery,
  calls,
  wire,
  batch,
  'batch replies': batchReplies,
  replies,
  shapes,
  doors,
  answers,
  sharing,
  cancel,
  overload,
  stack,
  hops,
  jetStream,
  pulls,
  'event order': eventOrder,
  'event limits': eventLimits,
  crowded,
  'event faults': eventFaults,
  poison,
  excused,
  resumed,
  forgotten,
  effects,
  'large letters': largeLetters,
  idempotent,
  events,
  'every instance': everyInstance,
  versions,
  handlers,
  broadcast,
  discovery,
  draining,
  background,
  'lazy work': lazyWork,
  loss,
  'lost callers': lostCallers,
  permissions,
  access,
  rules,
  hostile,
  faulty,
  platform,
  streams,
  flows,
  files,
  'file property': fileProperty,
  'faulty flows': faultyFlows,
  'flow limits': flowLimits,
  'flow property': flowProperty,
}
