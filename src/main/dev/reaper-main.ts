/**
 * Runs as a process of its own: waits until standard input closes, which happens when the platform's
 * parent ends in whatever way, and then ends everything that the platform started.
 */
import { createInterface } from 'node:readline';
import { attemptPids, endProcesses, platformPids } from './platform-processes.ts';

const GRACE_MS = 5_000;
const SWEEPS = 2;

const [platformId, folder] = process.argv.slice(2);
if (!platformId || !folder) throw new Error('usage: reaper-main <platform id> <its folder>');

// The signals that end a terminal's session must not end what cleans up after it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const registered = new Map<number, NodeJS.Signals>();
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, pid, signal] = line.split(' ');
  if (verb === 'register') registered.set(Number(pid), signal as NodeJS.Signals);
  if (verb === 'forget') registered.delete(Number(pid));
}

// Twice: a process may have started another one while the first sweep was under way.
for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
  const pids = [...platformPids(platformId), ...attemptPids(folder)];
  const marked = pids.map((pid) => [pid, 'SIGTERM'] as const);
  await endProcesses(new Map([...marked, ...registered]), GRACE_MS);
}
