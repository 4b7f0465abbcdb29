import { type LogLine, RecordedLog as Recorded } from '../../src/testing/service/recorded-log.ts'

/** The log of `testService`, by level. */
export class RecordedLog extends Recorded {
  at(level: LogLine['level']): readonly LogLine[] {
    return this.lines.filter(line => line.level === level)
  }
}
