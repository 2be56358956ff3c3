import { expect, test } from 'vitest';
import {
  progressLine,
  progressPrinter,
  type Progress,
} from '../../../src/adapters/tools/progress.ts';

const building: Progress = {
  step: 2,
  steps: 3,
  what: 'helmfile 1.8.0',
  doing: 'building with Go',
  next: ['helm 4.3.1, kwok 0.8.0'],
  elapsedMs: 80_400,
};

test('a line says which step this is, for how long, and what comes next', () => {
  expect(progressLine(building)).toBe(
    '[2/3] helmfile 1.8.0: building with Go, 1m20s elapsed, then: helm 4.3.1, kwok 0.8.0',
  );
});

test('a step that failed says why', () => {
  const failed = { ...building, ended: { failure: 'Go is not on PATH' } };
  expect(progressLine(failed)).toBe(
    '[2/3] helmfile 1.8.0: building with Go failed: Go is not on PATH',
  );
});

test('a log gets the start, a line every ten seconds, and the end', () => {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (line: string) => lines.push(line) };
  const print = progressPrinter(stream as unknown as NodeJS.WriteStream);
  for (let seconds = 0; seconds <= 25; seconds += 1) {
    print({ ...building, elapsedMs: seconds * 1_000 });
  }
  print({ ...building, elapsedMs: 26_000, ended: {} });
  expect(lines.map((line) => /\d+s/.exec(line)?.[0])).toEqual(['0s', '10s', '20s', '26s']);
});
