/**
 * `npm run bench:redact`: how fast secrets are hidden in a log, against the two ways that suggest
 * themselves. Every way must hide the same; the time to prepare is told apart. Seconds are the processor's:
 * other programs on the machine change nothing.
 */
import { createRedactor } from '../src/domain/redact.ts';
import { formsOf } from '../src/domain/redact/forms.ts';
import { Automaton } from './automaton.ts';

const SECRETS = 500;
const LINES = 120_000;
const CHUNK = 64 * 1024;
const ROUNDS = 3;
const MASK = '‹masked›';

const random = seeded(20_26);
const secrets = Array.from({ length: SECRETS }, () => randomText(8 + Math.floor(random() * 120)));
const log = makeLog();
const megabytes = Buffer.byteLength(log) / 1e6;
const forms = [...formsOf(secrets)];
console.log(`${SECRETS} secrets, ${forms.length} forms, ${megabytes.toFixed(0)} MB of log`);

const { text, stream } = createRedactor(secrets);
const expected = text(log);
for (const secret of secrets) {
  if (expected.includes(secret)) throw new Error('a secret was not hidden');
}

measure(
  'slipway, whole',
  'createRedactor',
  () => createRedactor(secrets),
  log,
  (it, input) => it.text(input),
);
measure('slipway, stream of 64 KiB', 'createRedactor', stream, log, (it, input) => {
  let output = '';
  for (let at = 0; at < input.length; at += CHUNK) output += it.write(input.slice(at, at + CHUNK));
  return output + it.end();
});
measure('slipway, a line at a time', 'createRedactor', stream, log, (it, input) => {
  let output = '';
  for (const line of input.split('\n')) output += it.write(`${line}\n`);
  return (output + it.end()).slice(0, -1);
});
const coloured = log.replaceAll('INFO', '\x1b[32mINFO\x1b[0m');
measure(
  'slipway, coloured log',
  'createRedactor',
  () => createRedactor(secrets),
  coloured,
  (it, input) => it.text(input),
);
measure(
  'Aho-Corasick automaton',
  'build',
  () => new Automaton(forms),
  log,
  (it, input) => it.hide(input, MASK),
);
// The slow way gets a fiftieth of the log, or this would take minutes.
measure('RegExp of all forms', 'compile', regExp, log.slice(0, log.length / 50), (it, input) =>
  input.replace(it, MASK),
);

function measure<T>(
  name: string,
  preparing: string,
  prepare: () => T,
  input: string,
  hide: (prepared: T, input: string) => string,
): void {
  const start = performance.now();
  const prepared = prepare();
  const prepareMs = performance.now() - start;
  const size = Buffer.byteLength(input) / 1e6;
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begin = process.cpuUsage();
    const output = hide(prepared, input);
    const { user, system } = process.cpuUsage(begin);
    times.push((user + system) / 1_000);
    if (input === log && output !== expected) throw new Error(`${name} hides something else`);
  }
  const median = times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
  const speed = (size / median) * 1_000;
  console.log(
    `${name.padEnd(28)} ${speed.toFixed(1).padStart(8)} MB/s   ${preparing} ${prepareMs.toFixed(0)} ms`,
  );
}

function regExp(): RegExp {
  const longestFirst = forms.toSorted((a, b) => b.length - a.length);
  const escaped = longestFirst.map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(escaped.join('|'), 'g');
}

/** A log of a deployment, in which every hundredth line shows a secret in one of its forms. */
function makeLog(): string {
  const words = 'release chart values upgrade revision deployment example-api pod ready'.split(' ');
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  return Array.from({ length: LINES }, (_, index) => {
    const said = Array.from({ length: 60 }, () => pick(words)).join(' ');
    if (index % 100 !== 0) return `2026-01-01T00:00:00Z INFO ${index} ${said}`;
    const secret = pick(secrets) ?? '';
    const forms = [secret, Buffer.from(secret).toString('base64'), JSON.stringify(secret)];
    return `2026-01-01T00:00:00Z INFO ${said} ${pick(forms) ?? ''} ${said}`;
  }).join('\n');
}

function randomText(length: number): string {
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(random() * 94))).join('');
}

/** The same numbers in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
