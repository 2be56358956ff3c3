import type { HealthSink } from '../../contract/health-sink.ts';
import type { LogLines, LogSink } from '../../contract/log-sink.ts';
import type { PlanSink } from '../../contract/plan-sink.ts';
import type { Outbox } from './outbox.ts';

/** Well below what the server takes at once. */
const PART_BYTES_MAX = 512 * 1024;

/** Logs go to the server, in parts that it takes. */
export function createServerLogSink(outbox: Pick<Outbox, 'put'>): LogSink {
  return {
    append: async (input) => {
      for (const part of inParts(input)) await outbox.put('logs', part);
    },
  };
}

export function createServerPlanSink(outbox: Pick<Outbox, 'put'>): PlanSink {
  return { store: (record) => outbox.put('plans', record) };
}

export function createServerHealthSink(outbox: Pick<Outbox, 'put'>): HealthSink {
  return { store: (record) => outbox.put('health', record) };
}

function* inParts(input: LogLines): Generator<LogLines> {
  let lines: string[] = [];
  let bytes = 0;
  let first = input.first;
  for (const line of input.lines) {
    const size = Buffer.byteLength(JSON.stringify(line)) + 1;
    if (lines.length > 0 && bytes + size > PART_BYTES_MAX) {
      yield { ...input, first, lines };
      first += lines.length;
      lines = [];
      bytes = 0;
    }
    lines.push(line);
    bytes += size;
  }
  if (lines.length > 0) yield { ...input, first, lines };
}
