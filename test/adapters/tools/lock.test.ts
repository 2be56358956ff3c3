import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireLock } from '../../../src/adapters/tools/lock.mjs';

let folder: string;
let lock: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-lock-'));
  lock = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The name that this process holds a lock by. */
async function ownHolder(): Promise<string[]> {
  const release = await acquireLock(lock);
  const [holder = ''] = await readdir(lock);
  release();
  return holder.split('.');
}

async function holdAs(holder: readonly (string | number)[]): Promise<void> {
  await mkdir(lock, { recursive: true });
  await writeFile(join(lock, holder.join('.')), '');
}

test('only one of many has the lock at a time, and each gets it', async () => {
  let inside = 0;
  let most = 0;
  let turns = 0;
  const takeTurn = async () => {
    const release = await acquireLock(lock);
    inside += 1;
    most = Math.max(most, inside);
    await new Promise(setImmediate);
    turns += 1;
    inside -= 1;
    release();
  };
  await Promise.all(Array.from({ length: 8 }, takeTurn));
  expect({ most, turns }).toEqual({ most: 1, turns: 8 });
});

test('a living holder is waited for, but not for ever', async () => {
  const release = await acquireLock(lock);
  const holders = new Set<number>();
  const onWait = (pid: number) => holders.add(pid);
  await expect(acquireLock(lock, { onWait, waitMsMax: 0 })).rejects.toThrow('too long');
  await expect(acquireLock(lock, { onWait, waitMsMax: 1 })).rejects.toThrow('too long');
  expect([...holders]).toEqual([process.pid]);
  release();
  (await acquireLock(lock, { waitMsMax: 0 }))();
});

test('who gives up waiting leaves nothing behind', async () => {
  const release = await acquireLock(lock);
  const waiting = acquireLock(lock, { signal: AbortSignal.abort() });
  await expect(waiting).rejects.toThrow('aborted');
  expect(await readdir(folder)).toEqual(['lock']);
  release();
});

test('a holder that has ended does not keep the lock', async () => {
  const [place = '', , start = ''] = await ownHolder();
  // Linux never gives a pid above 4194304.
  await holdAs([place, 4_194_305, start, 'gone']);
  (await acquireLock(lock, { waitMsMax: 0 }))();
});

test.runIf(process.platform === 'linux')(
  'a process that got the pid of an ended holder is not taken for it',
  async () => {
    const [place = ''] = await ownHolder();
    await holdAs([place, process.pid, 1, 'gone']);
    (await acquireLock(lock, { waitMsMax: 0 }))();
  },
);

test('a holder in another container is believed as long as it gives signs of life', async () => {
  await holdAs(['elsewhere', 1, 1, 'living']);
  await expect(acquireLock(lock, { waitMsMax: 0 })).rejects.toThrow('process 1');
});
