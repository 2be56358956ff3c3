/**
 * `npm test`: the tools, each step of `npm run check`, then the suites. All of it runs even if something
 * fails; the last line sums it up. Arguments go to vitest; with `--project` that suite runs alone.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageManifest from '../package.json' with { type: 'json' };
import { run } from '../src/adapters/process/run.ts';
import { ensureTools } from '../src/adapters/tools/ensure-tools.ts';
import { TOOL_NAMES } from '../src/adapters/tools/manifest.ts';
import { progressPrinter, waitPrinter } from '../src/adapters/tools/progress.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const PASSED: Counts = { passed: 1, failed: 0, skipped: 0 };
const FAILED: Counts = { passed: 0, failed: 1, skipped: 0 };
const INTERRUPTED = 130;

const root = join(import.meta.dirname, '..');
// The tests on a real node run where a kubelet may start containers; elsewhere they say that they do not.
const nodeTools =
  process.platform === 'linux' && process.getuid?.() === 0 ? ['kubelet' as const] : [];
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    interrupted.abort();
  });
}

try {
  const counts = [await installTools()];
  const args = process.argv.slice(2);
  const steps = args.includes('--project') ? [] : packageManifest.scripts.check.split(' && ');
  for (const step of steps) counts.push(await check(step));
  counts.push(await runSuites(args));
  const sum = (key: keyof Counts) => counts.reduce((total, each) => total + each[key], 0);
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
  process.exitCode = sum('failed') > 0 ? 1 : 0;
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  process.exitCode = INTERRUPTED;
}

async function installTools(): Promise<Counts> {
  try {
    await ensureTools([...TOOL_NAMES, ...nodeTools], {
      onProgress: progressPrinter(process.stderr),
      onWait: waitPrinter(process.stderr),
      signal: interrupted.signal,
    });
    console.log('✓ tools');
    return PASSED;
  } catch (error) {
    interrupted.signal.throwIfAborted();
    console.log(`✕ tools\n${error instanceof Error ? error.message : String(error)}`);
    return FAILED;
  }
}

async function check(step: string): Promise<Counts> {
  const [program = '', ...args] = step.split(' ');
  const started = Date.now();
  const output: string[] = [];
  const { exitCode } = await run(join(root, 'node_modules/.bin', program), args, {
    cwd: root,
    env: ownEnv(),
    signal: interrupted.signal,
    keepTailBytes: 1024 * 1024,
    onLine: (line) => output.push(line),
  });
  const seconds = ((Date.now() - started) / 1_000).toFixed(1);
  console.log(`${exitCode === 0 ? '✓' : '✕'} ${step} (${seconds} s)`);
  if (exitCode === 0) return PASSED;
  console.log(output.join('\n'));
  return FAILED;
}

async function runSuites(args: readonly string[]): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  const report = join(folder, 'report.json');
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const { exitCode } = await run(process.execPath, [vitest, 'run', ...reporters, ...args], {
      cwd: root,
      env: ownEnv(),
      signal: interrupted.signal,
      keepTailBytes: 1024,
      onLine: (line) => {
        console.log(line);
      },
    });
    return await countsOf(report, exitCode === 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What vitest's JSON report says, as far as it is read here. */
interface Report {
  numPassedTests?: number;
  numFailedTests?: number;
  numPendingTests?: number;
  numTodoTests?: number;
  testResults?: { status: string; assertionResults: { status: string }[] }[];
}

/**
 * A file that failed without a failed test (it could not start, say) is a failure of its own. So is a
 * run that ended badly for no reason that the report knows, or that ran no test.
 */
async function countsOf(report: string, endedWell: boolean): Promise<Counts> {
  const text = await readFile(report, 'utf8').catch(() => '{}');
  const json = JSON.parse(text) as Report;
  const brokenFiles = (json.testResults ?? []).filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'),
  );
  const passed = json.numPassedTests ?? 0;
  const failed = (json.numFailedTests ?? 0) + brokenFiles.length;
  const skipped = (json.numPendingTests ?? 0) + (json.numTodoTests ?? 0);
  if (failed === 0 && passed === 0) console.log('✕ vitest ran no test');
  else if (failed === 0 && !endedWell)
    console.log('✕ vitest failed outside of the tests, see above');
  const unexplained = failed === 0 && (passed === 0 || !endedWell);
  return { passed, failed: unexplained ? 1 : failed, skipped };
}

function ownEnv(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) env[name] = value;
  }
  return env;
}
