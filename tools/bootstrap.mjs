// @ts-check
// Runs on whatever Node is there, from 20 on, with nothing installed: makes the project's packages
// ready, then starts a new process on the pinned Node. `node tools/bootstrap.mjs <demo|test|cli> …`
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acquireLock } from '../src/adapters/tools/lock.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const PINNED_NODE = join(MODULES, 'node/bin/node');
/** Holds the hash of the lock file that was installed; `npm ci` removes it before anything else. */
const RECEIPT = join(MODULES, '.slipway-installed');

/** @type {Record<string, string[]>} */
const COMMANDS = {
  demo: ['src/main/cli.ts', 'dev', '--story'],
  test: ['tools/test.ts'],
  cli: ['src/main/cli.ts'],
};

const [name = '', ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) {
  fail(2, `usage: node tools/bootstrap.mjs <${Object.keys(COMMANDS).join('|')}> [arguments]`);
}
const problem = await installPackages();
if (problem !== undefined) fail(1, problem);
const [script = '', ...options] = command;
const end = await start(PINNED_NODE, [join(ROOT, script), ...options, ...args], {
  stdio: 'inherit',
  path: [join(MODULES, '.bin'), ...searchPath()],
});
// 128 + signal is what a shell would say of a child that a signal ended.
process.exit(end.signal ? 128 + constants.signals[end.signal] : (end.code ?? 1));

/** Installs what package-lock.json says, if it is not what was installed last. Returns what failed. */
async function installPackages() {
  if (isInstalled()) return undefined;
  const locks = join(ROOT, '.slipway/locks');
  fs.mkdirSync(locks, { recursive: true });
  let waits = 0;
  const release = await acquireLock(join(locks, 'packages'), {
    onWait: (pid) => {
      if (waits++ === 0) say(`waiting for process ${pid}, which installs the packages`);
    },
  });
  try {
    // Another process may have installed them while this one waited for the lock.
    return isInstalled() ? undefined : await runNpm();
  } finally {
    release();
  }
}

async function runNpm() {
  const started = Date.now();
  say('installing the npm packages of package-lock.json');
  // Development packages are needed whatever NODE_ENV says: the pinned Node is one of them. Warnings
  // are about the Node that runs npm, not about the one that will run the packages.
  const npm = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, signal } = await start('npm', npm, {
    stdio: ['ignore', process.stderr, process.stderr],
    path: searchPath(),
    cwd: ROOT,
  });
  if (code !== 0) {
    return `npm ci ended with ${signal ?? code}, see above; the next start tries again`;
  }
  if (!fs.existsSync(PINNED_NODE)) {
    return `npm ci left no ${PINNED_NODE}: does npm's configuration switch install scripts off?`;
  }
  fs.writeFileSync(RECEIPT, wantedHash());
  say(`installed them in ${Math.round((Date.now() - started) / 1000)}s`);
  return undefined;
}

function isInstalled() {
  try {
    if (fs.readFileSync(RECEIPT, 'utf8') !== wantedHash()) return false;
    if (!fs.existsSync(PINNED_NODE)) return false;
  } catch {
    return false;
  }
  // A checkout touches the lock file without changing it; bin/slipway compares times only.
  const now = new Date();
  fs.utimesSync(RECEIPT, now, now);
  return true;
}

function wantedHash() {
  const lockFile = fs.readFileSync(join(ROOT, 'package-lock.json'));
  return createHash('sha256').update(lockFile).digest('hex');
}

/**
 * PATH without this project's own programs, which npm scripts put there: npm would run on the very
 * Node that it removes.
 */
function searchPath() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.filter((folder) => !folder.endsWith('/node_modules/.bin'));
}

/**
 * Runs a program, passes signals on and waits for its end.
 * @param {string} file
 * @param {string[]} argv
 * @param {{ stdio: import('node:child_process').StdioOptions, path: string[], cwd?: string }} options
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
function start(file, argv, { stdio, path, cwd = process.cwd() }) {
  const env = { ...process.env, PATH: path.join(delimiter) };
  const child = spawn(file, argv, { stdio, env, cwd });
  const passed = new Set();
  const pass = (/** @type {NodeJS.Signals} */ signal) => {
    // Ctrl-C reaches the child from the terminal itself; a second one would mean "at once".
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    if (!passed.has(signal)) child.kill(signal);
    passed.add(signal);
  };
  process.on('SIGINT', pass).on('SIGTERM', pass);
  return new Promise((resolve) => {
    child.on('error', (error) => fail(1, `cannot start ${file}: ${error.message}`));
    child.on('exit', (code, signal) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      resolve({ code, signal });
    });
  });
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`slipway: ${text}\n`);
}

/** @param {number} code @param {string} text @returns {never} */
function fail(code, text) {
  say(text);
  process.exit(code);
}
