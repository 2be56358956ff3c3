import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startService } from '../../../src/adapters/process/service.ts';
import { sweepAttempts } from '../../../src/adapters/process/sweep.ts';
import { until } from '../../support/until.ts';

const SOON = { groupTermMs: 100, groupKillMs: 200 };

let folder: string;
let started: number[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-sweep-'));
  started = [];
});
afterEach(async () => {
  for (const pid of started) {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
  await rm(folder, { recursive: true, force: true });
});

test.runIf(process.platform === 'linux')(
  'an orphan of a killed worker is ended; other workers’ processes and all else live',
  async () => {
    const ours = { SLIPWAY_ATTEMPT: 'dep_1/1', HOME: `${folder}/attempts/a/home` };
    const orphan = await startOrphan('exec sleep 300', ours);
    const other = await startOrphan('exec sleep 300', {
      ...ours,
      HOME: `${folder}-2/attempts/a/home`,
    });
    const unmarked = await startOrphan('exec sleep 300', { HOME: ours.HOME });
    expect(await sweepAttempts({ folder: `${folder}/attempts` })).toBe(1);
    expect([orphan, other, unmarked].map(isAlive)).toEqual([false, true, true]);
    expect(await sweepAttempts({ folder: `${folder}/attempts` })).toBe(0);
  },
);

test.runIf(process.platform === 'linux')(
  'what one attempt left is ended wherever it ran; another attempt lives',
  async () => {
    const left = await startOrphan('exec sleep 300', { SLIPWAY_ATTEMPT: 'dep_9/1', HOME: '/a' });
    const next = await startOrphan('exec sleep 300', { SLIPWAY_ATTEMPT: 'dep_9/10', HOME: '/a' });
    expect(await sweepAttempts({ attempt: 'dep_9/1' })).toBe(1);
    expect([left, next].map(isAlive)).toEqual([false, true]);
  },
);

test.runIf(process.platform === 'linux')(
  'the topmost is asked first and passes it on; what does not listen is killed',
  async () => {
    const ours = { SLIPWAY_ATTEMPT: 'dep_1/2', HOME: `${folder}/attempts/b/home` };
    const log = join(folder, 'signals');
    // As helmfile does: asks its child once, and waits for it.
    const child = `trap "echo child asked >> ${log}" TERM; while :; do sleep 0.05; done`;
    const top = `sh -c '${child}' & trap "echo top asked >> ${log}; wait" TERM; wait`;
    await startOrphan(top, ours);
    expect(await sweepAttempts({ folder: `${folder}/attempts` }, SOON)).toBeGreaterThan(1);
    expect((await readFile(log, 'utf8')).split('\n')[0]).toBe('top asked');
  },
);

/** Starts a program whose parent has gone; returns its pid once it runs with its environment. */
async function startOrphan(script: string, env: Record<string, string>): Promise<number> {
  const pidFile = join(folder, `pid-${started.length}`);
  const service = await startService(
    '/bin/sh',
    ['-c', `sh -c 'echo $$ > "$0"; '"$SCRIPT" "$PID_FILE" & `],
    {
      env: { PATH: '/usr/bin:/bin', ...env, SCRIPT: script, PID_FILE: pidFile },
      logFile: join(folder, 'log'),
    },
  );
  await service.ended;
  let pid = 0;
  await until(async () => {
    pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
    return pid > 0;
  });
  started.push(pid);
  return pid;
}

/** A dead process stays to be seen where process 1 reaps nothing, so its state counts. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
