// @ts-check
// Plain JavaScript without dependencies: the bootstrap uses it before anything is installed.
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 200;
const HEARTBEAT_MS = 10_000;
/** A holder that cannot be looked at (another machine, another container) is dead after this silence. */
const SILENCE_MS_MAX = 120_000;

/**
 * Takes a lock that the processes of a machine share, and returns the function that gives it back.
 * A holder that was killed does not keep it: it is known by its pid and start time.
 *
 * The lock is a folder that holds one file named after its holder. It is taken by renaming a folder
 * with that file onto it, which the kernel does only while there is none or it is empty; a dead
 * holder's file is simply removed. No name is ever used twice, so nothing here can take the lock
 * away from a living holder, whatever the order of events.
 *
 * @param {string} path
 * @param {{ onWait?: (holderPid: number) => void, signal?: AbortSignal, waitMsMax?: number }} [options]
 * @returns {Promise<() => void>}
 */
export async function acquireLock(path, options = {}) {
  const { onWait, signal, waitMsMax = 3_600_000 } = options;
  const me = [placeOf(), process.pid, startTimeOf(process.pid) ?? 0, randomUUID()].join('.');
  const mine = `${path}.${me}`;
  fs.mkdirSync(mine, { recursive: true });
  fs.writeFileSync(join(mine, me), '');
  const deadline = Date.now() + waitMsMax;
  try {
    while (!renameOnto(mine, path)) {
      const living = holdersOf(path).filter((holder) => !removeIfDead(path, holder));
      const pid = Number(living[0]?.split('.')[1]);
      if (living.length === 0) continue;
      if (Date.now() > deadline) {
        throw new Error(`process ${pid} has held the lock ${path} for too long`);
      }
      onWait?.(pid);
      touch(mine);
      touch(join(mine, me));
      await delay(POLL_MS, undefined, signal ? { signal } : {});
    }
  } catch (error) {
    fs.rmSync(mine, { recursive: true, force: true });
    throw error;
  }
  removeLeftovers(path);
  const file = join(path, me);
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    fs.rmSync(file, { force: true });
  };
}

/** Says to who cannot look at this process that it lives. @param {string} path */
function touch(path) {
  const now = new Date();
  attempt(() => fs.utimesSync(path, now, now));
}

/** @param {string} from @param {string} to */
function renameOnto(from, to) {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) return false;
    throw error;
  }
}

/** @param {string} path */
function holdersOf(path) {
  try {
    return fs.readdirSync(path);
  } catch {
    return [];
  }
}

/** @param {string} folder @param {string} holder */
function removeIfDead(folder, holder) {
  const file = join(folder, holder);
  if (!isDead(holder, file)) return false;
  fs.rmSync(file, { recursive: true, force: true });
  return true;
}

/** What processes that were killed while they waited left beside the lock. @param {string} path */
function removeLeftovers(path) {
  const prefix = `${basename(path)}.`;
  for (const name of fs.readdirSync(dirname(path))) {
    if (name.startsWith(prefix) && isDead(name.slice(prefix.length), join(dirname(path), name))) {
      fs.rmSync(join(dirname(path), name), { recursive: true, force: true });
    }
  }
}

/** @param {string} holder @param {string} file */
function isDead(holder, file) {
  const [place, pid, startTime] = holder.split('.');
  if (place === placeOf()) return String(startTimeOf(Number(pid))) !== startTime;
  try {
    return Date.now() - fs.statSync(file).mtimeMs > SILENCE_MS_MAX;
  } catch {
    return true;
  }
}

/** Where a pid means something: this boot of this machine, in this PID namespace. */
function placeOf() {
  const parts = [
    hostname(),
    attempt(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    attempt(() => fs.readlinkSync('/proc/self/ns/pid')),
  ];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12);
}

/**
 * When a process started, so that a reused pid is not taken for it; 0 where that cannot be told,
 * undefined when there is no such process.
 * @param {number} pid
 */
function startTimeOf(pid) {
  if (process.platform === 'linux') {
    const stat = attempt(() => fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie only waits for its parent to ask how it ended.
    return fields === undefined || fields[0] === 'Z' ? undefined : Number(fields[19]);
  }
  try {
    process.kill(pid, 0);
    return 0;
  } catch (error) {
    return codeOf(error) === 'EPERM' ? 0 : undefined;
  }
}

/** @template T @param {() => T} read @returns {T | undefined} */
function attempt(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code ?? '';
}
