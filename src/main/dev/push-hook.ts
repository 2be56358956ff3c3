/**
 * Runs as git's post-receive hook: sends GitHub's push event for each updated ref to the webhook
 * that the repository's settings name, signed. The push has happened already, so nothing that goes
 * wrong here fails it; git shows what is printed on standard error to whoever pushed.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { run } from '../../adapters/process/run.ts';
import { HOOK_SETTINGS_FILE, type HookSettings } from './git-repository.ts';

const TIMEOUT_MS = 10_000;
const COMMITS_MAX = 20;
const NO_COMMIT = /^0+$/;
/** Separates the fields of a commit; git prints it for %x1f, and no message holds it. */
const FIELD = '\x1f';

interface Update {
  before: string;
  after: string;
  ref: string;
}

// Git runs a hook inside the repository, with GIT_DIR set to it.
const settings = readSettings();
if (settings) {
  for (const line of (await text(process.stdin)).trim().split('\n')) {
    const [before = '', after = '', ref = ''] = line.split(' ');
    await announce(settings, { before, after, ref });
  }
}

function readSettings(): HookSettings | undefined {
  try {
    return JSON.parse(readFileSync(HOOK_SETTINGS_FILE, 'utf8')) as HookSettings;
  } catch {
    say('no webhook is set, nobody was told');
    return undefined;
  }
}

async function announce({ url, secret, repository }: HookSettings, update: Update): Promise<void> {
  try {
    const body = JSON.stringify({ ...(await describePush(update)), repository });
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitHub-Hookshot/slipway-demo',
        'x-github-event': 'push',
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    say(`told ${url} about ${update.ref}: ${response.status}`);
    if (!response.ok) say((await response.text()).slice(0, 500));
  } catch (error) {
    say(`could not tell ${url} about ${update.ref}: ${String(error)}`);
  }
}

async function describePush({ before, after, ref }: Update) {
  const created = NO_COMMIT.test(before);
  const deleted = NO_COMMIT.test(after);
  const range = created ? [after] : [`${before}..${after}`];
  const [head] = deleted ? [] : await readCommits([after, '--max-count=1']);
  const sender = { login: head?.author.name ?? 'unknown', id: 1, type: 'User' };
  return {
    ref,
    before,
    after,
    created,
    deleted,
    forced: !created && !deleted && !(await isAncestor(before, after)),
    base_ref: null,
    compare: '',
    commits: deleted ? [] : (await readCommits([...range, `--max-count=${COMMITS_MAX}`])).reverse(),
    head_commit: head ?? null,
    pusher: head?.author ?? { name: 'unknown', email: '' },
    sender,
  };
}

async function readCommits(args: string[]) {
  const format = ['%H', '%T', '%aI', '%an', '%ae', '%B'].join('%x1f');
  const output = await git('log', '-z', `--format=${format}`, ...args, '--');
  const entries = output.split('\0').filter((entry) => entry.trim() !== '');
  return entries.map((entry) => {
    const [id = '', tree = '', timestamp = '', name = '', email = '', ...rest] = entry.split(FIELD);
    const author = { name, email };
    const message = rest.join(FIELD).trim();
    return {
      id,
      tree_id: tree.trim(),
      distinct: true,
      message,
      timestamp,
      author,
      committer: author,
    };
  });
}

async function isAncestor(before: string, after: string): Promise<boolean> {
  const result = await runGit(['merge-base', '--is-ancestor', before, after]);
  return result.exitCode === 0;
}

async function git(...args: string[]): Promise<string> {
  const result = await runGit(args);
  if (result.exitCode !== 0) throw new Error(`git ${args[0] ?? ''}: ${result.stderr.trim()}`);
  return result.stdout;
}

function runGit(args: string[]) {
  return run('git', args, { env: inherited(), timeoutMs: TIMEOUT_MS });
}

/** What git gave its hook: the repository, and its place for objects of this push. */
function inherited(): Record<string, string> {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

function say(line: string): void {
  process.stderr.write(`slipway: ${line}\n`);
}
