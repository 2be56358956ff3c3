import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run, type RunOptions } from '../../../src/adapters/process/run.ts';
import { isAlive } from '../../../src/main/dev/platform-processes.ts';
import { until } from '../../support/until.ts';

const env = { PATH: '/usr/bin:/bin' };
const FAST = { groupTermMs: 100, groupKillMs: 300 };
/** A child that is not stopped by asking: in the shell, and in the sleep that it starts. */
const STUBBORN = `trap '' TERM; while :; do sleep 0.05; done`;
const MIB = 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'slipway-run-'));
afterAll(() => rm(folder, { recursive: true }));

describe('a program', () => {
  it('has exactly the environment that it is given', async () => {
    process.env.SLIPWAY_TEST_SECRET = 'must not leak';
    const { stdout } = await run('env', [], { env: { ...env, ONLY: 'this', EMPTY: '' } });
    delete process.env.SLIPWAY_TEST_SECRET;
    expect(stdout.trim().split('\n').sort()).toEqual(['EMPTY=', 'ONLY=this', 'PATH=/usr/bin:/bin']);
  });

  it('gets its arguments as they are: there is no shell', async () => {
    const args = ['$HOME', '`id`', 'a b', '; false', '', "'", '*'];
    const { stdout } = await run('printf', ['%s\n', ...args], { env });
    expect(stdout.split('\n').slice(0, -1)).toEqual(args);
  });

  it('reads the text it is given, and else nothing', async () => {
    expect((await run('cat', [], { env, input: 'hello' })).stdout).toBe('hello');
    expect((await run('cat', [], { env })).stdout).toBe('');
  });

  it('may leave its input unread', async () => {
    const result = await run('true', [], { env, input: 'x'.repeat(MIB) });
    expect(result.exitCode).toBe(0);
  });

  it('answers with its exit code, which is no error', async () => {
    const result = await shell('echo out; echo err >&2; exit 3');
    expect(result).toEqual({
      exitCode: 3,
      signalName: undefined,
      stdout: 'out\n',
      stderr: 'err\n',
      timedOut: false,
    });
  });

  it('that a signal ended says which', async () => {
    expect(await shell('kill -SEGV $$')).toMatchObject({
      exitCode: undefined,
      signalName: 'SIGSEGV',
    });
  });

  it.each([
    ['is missing', '/no/such/program', {}],
    ['is no program', '/etc/passwd', {}],
    ['is to run in a folder that is missing', 'true', { cwd: '/no/such/folder' }],
  ])('that %s is named', async (_what, file, options) => {
    await expect(run(file, [], { env, ...options })).rejects.toMatchObject({
      code: 'tool-missing',
      message: expect.stringContaining(`cannot start ${file}: E`) as string,
    });
  });
});

describe('the end of the whole process tree', () => {
  it('comes with the time-out, and the answer says so', async () => {
    const result = await shell(`echo before; ${STUBBORN}`, { timeoutMs: 200, ladder: FAST });
    expect(result).toMatchObject({ timedOut: true, signalName: 'SIGKILL', stdout: 'before\n' });
  });

  it('comes with an abort, also for a grandchild that ignores SIGTERM, before the reason is thrown', async () => {
    const file = join(folder, 'grandchild');
    const abort = new AbortController();
    const reason = new Error('cancelled by a person');
    const script = `bash -c "echo \\$\\$ > ${file}; ${STUBBORN}" & wait`;
    const running = shell(script, { signal: abort.signal, ladder: FAST });
    const ended = running.catch((error: unknown) => error);
    const grandchild = await pidIn(file);
    abort.abort(reason);
    expect(await ended).toBe(reason);
    expect(isAlive(grandchild)).toBe(false);
  });

  it('gives the leader time to end its children in order', async () => {
    const file = join(folder, 'ordered');
    const abort = new AbortController();
    // As helmfile and helm do: the leader passes the signal on, and the child writes its end.
    const child = `trap 'sleep 0.2; echo saved >> ${file}; exit' TERM; echo $BASHPID > ${file}; while :; do sleep 0.02; done`;
    const script = `(${child}) & c=$!; trap 'kill $c; wait $c; exit 1' TERM; wait $c`;
    const ended = shell(script, { signal: abort.signal }).catch((error: unknown) => error);
    await pidIn(file);
    abort.abort();
    await ended;
    expect(await readFile(file, 'utf8')).toMatch(/^\d+\nsaved\n$/);
  });

  it('does not come before the start when the signal is aborted already', async () => {
    const reason = new Error('too late');
    const file = join(folder, 'never');
    const signal = AbortSignal.abort(reason);
    await expect(run('touch', [file], { env, signal })).rejects.toBe(reason);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  it('comes with the end of a leader that leaves a child behind, which holds the pipe', async () => {
    const started = performance.now();
    const result = await shell('sleep 60 & echo $!; exit 4');
    expect(result.exitCode).toBe(4);
    expect(isAlive(Number(result.stdout))).toBe(false);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it('is not waited for when all that is left are dead processes that nobody reaps', async () => {
    // The middle one leaves the group and never asks how its child ended.
    const script = `
import os, sys, time
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(60)
    os.setsid()
    print(os.getpid(), flush=True)
    os.close(1); os.close(2)
    time.sleep(60)
time.sleep(0.2)`;
    const result = await run('python3', ['-c', script], { env });
    process.kill(Number(result.stdout), 'SIGKILL');
    expect(result.exitCode).toBe(0);
  });

  it('is not held up by a daemon that left the group and holds the pipe', async () => {
    const result = await shell('setsid sleep 60 & echo $!');
    process.kill(Number(result.stdout), 'SIGKILL');
    expect(result.exitCode).toBe(0);
  });
});

describe('output', () => {
  it('of 64 MiB is read to its end, and the tail is kept', async () => {
    const options = { keepTailBytes: 1_000 };
    const result = await shell(`head -c ${64 * MIB} /dev/zero; echo the end`, options);
    expect(result.exitCode).toBe(0);
    expect(result.stdout.length).toBe(1_000);
    expect(result.stdout.endsWith('\0the end\n')).toBe(true);
  });

  it('keeps its beginning too where that is asked for, as an error is named before its long text', async () => {
    const script = `echo the beginning; head -c ${MIB} /dev/zero; echo the end`;
    const { stdout } = await shell(script, { keepTailBytes: 1_000, keepHeadBytes: 14 });
    expect(stdout).toMatch(/^the beginning\n\n\0{992}the end\n$/);
    const short = await shell('echo short', { keepTailBytes: 1_000, keepHeadBytes: 14 });
    expect(short.stdout).toBe('short\n');
  });

  it('above the bound ends the program, and memory stays bounded while it writes on', async () => {
    const before = process.memoryUsage.rss();
    const options = { outputBytesMax: MIB, ladder: { groupTermMs: 500, groupKillMs: 1_000 } };
    const running = shell(`trap '' TERM; cat /dev/zero`, options);
    await expect(running).rejects.toMatchObject({ code: 'output-too-large' });
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MIB);
  });

  it('is told line by line, from both streams, also the last one without its end', async () => {
    const lines: string[] = [];
    await shell('echo one; echo two >&2; printf three', {
      onLine: (line, stream) => lines.push(`${stream}: ${line}`),
    });
    expect(lines.sort()).toEqual(['stderr: two', 'stdout: one', 'stdout: three']);
  });

  it('of one line of 20 MB is told in pieces', async () => {
    const pieces: number[] = [];
    await shell(`head -c 20000000 /dev/zero | tr '\\0' x; echo; echo short`, {
      keepTailBytes: 100,
      onLine: (line) => pieces.push(line.length),
    });
    expect(Math.max(...pieces)).toBe(64 * 1024);
    expect(pieces.at(-1)).toBe(5);
    expect(pieces.reduce((sum, length) => sum + length)).toBe(20_000_005);
  });

  it('that is no UTF-8 shows replacement characters', async () => {
    const lines: string[] = [];
    const { stdout } = await shell(`printf 'caf\\351 \\360\\237\\230\\200\\n'`, {
      onLine: (line) => lines.push(line),
    });
    expect(stdout).toBe('caf\u{fffd} 😀\n');
    expect(lines).toEqual(['caf\u{fffd} 😀']);
  });
});

function shell(script: string, options: Partial<RunOptions> = {}) {
  return run('bash', ['-c', script], { env, ...options });
}

/** The process number that a script wrote into a file. */
async function pidIn(file: string): Promise<number> {
  let pid = 0;
  await until(async () => {
    pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
    return pid > 0;
  });
  return pid;
}
