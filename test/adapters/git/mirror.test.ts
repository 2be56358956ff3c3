import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Mirror } from '../../../src/adapters/git/mirror.ts';
import { AUTHOR, startGitHost, type GitHost } from '../../support/git-host.ts';

const TOKEN = 'ghp_a-token-that-nobody-may-see';
const UNKNOWN = 'f'.repeat(40);

let host: GitHost;
let first: string;

let mirrorFolder: string;

beforeAll(async () => {
  host = await startGitHost();
  first = await host.commit({ files: { 'a.txt': 'one\n' }, message: 'Start\n\nA body.' });
});
beforeEach(async () => {
  host.token = undefined;
  host.intercept = undefined;
  mirrorFolder = await mkdtemp(join(host.folder, 'mirror-'));
  await host.git(['update-ref', 'refs/heads/main', first]);
});
afterAll(() => host.stop());

describe('the head', () => {
  it('is the commit that the branch points at now', async () => {
    const mirror = mirrorOf('main');
    expect(await mirror.head()).toBe(first);
    const second = await host.commit({ files: { 'a.txt': 'two\n' } });
    expect(await mirror.head()).toBe(second);
  });

  it('is that of the branch, not of another ref whose name ends like it', async () => {
    const other = await host.commit({ branch: 'other', parents: [], files: { b: '' } });
    await host.git(['update-ref', 'refs/backup/refs/heads/main', other]);
    expect(await mirrorOf('main').head()).toBe(first);
  });

  it('of an unknown branch is missing', async () => {
    await expect(mirrorOf('trunk').head()).rejects.toMatchObject({
      code: 'commit-missing',
      message: 'The repository has no branch "trunk".',
    });
  });
});

describe('a commit', () => {
  it('is told about: first line, author, time', async () => {
    expect(await mirrorOf().commit(first)).toEqual({
      commit: first,
      title: 'Start',
      author: AUTHOR,
      committedAt: '2025-10-09T10:53:20+02:00',
    });
  });

  it('is found that was pushed after the mirror was made', async () => {
    const mirror = mirrorOf();
    await mirror.commit(first);
    const second = await host.commit({ files: { 'a.txt': 'two\n' }, message: 'Zweitens: größer' });
    expect((await mirror.commit(second)).title).toBe('Zweitens: größer');
  });

  it('that a rewritten branch left behind is still found while the forge has it', async () => {
    await host.commit({ parents: [], files: { b: '' } });
    expect((await mirrorOf().commit(first)).commit).toBe(first);
  });

  it('of a branch that was deleted since is still found', async () => {
    await host.git(['update-ref', 'refs/heads/kept', first]);
    await host.git(['update-ref', '-d', 'refs/heads/main']);
    expect((await mirrorOf().commit(first)).commit).toBe(first);
  });

  it('that is unknown is missing, and does not spoil what comes after', async () => {
    const mirror = mirrorOf();
    for (const commit of [UNKNOWN, '--upload-pack=touch /tmp/x', 'main', first.slice(0, 12)]) {
      await expect(mirror.commit(commit)).rejects.toMatchObject({ code: 'commit-missing' });
    }
    expect((await mirror.commit(first)).title).toBe('Start');
  });
});

describe('ancestry', () => {
  it('follows merges, and nothing else', async () => {
    const left = await host.commit({ files: { l: '' } });
    const right = await host.commit({ branch: 'side', parents: [first], files: { r: '' } });
    const merged = await host.commit({ parents: [left, right], files: {} });
    const mirror = mirrorOf();
    const isAncestor = (older: string, newer: string) => mirror.isAncestor(older, newer);
    expect(await isAncestor(first, merged)).toBe(true);
    expect(await isAncestor(right, merged)).toBe(true);
    expect(await isAncestor(merged, merged)).toBe(true);
    expect(await isAncestor(left, right)).toBe(false);
    expect(await isAncestor(merged, first)).toBe(false);
  });

  it('ends where history was rewritten', async () => {
    const mirror = mirrorOf();
    await mirror.commit(first);
    const rewritten = await host.commit({ parents: [], files: { 'a.txt': 'new\n' } });
    expect(await mirror.isAncestor(first, rewritten)).toBe(false);
    expect(await mirror.isAncestor(rewritten, first)).toBe(false);
  });

  it('of a commit that the forge no longer has is none', async () => {
    expect(await mirrorOf().isAncestor(UNKNOWN, first)).toBe(false);
  });
});

describe('a checkout', () => {
  it("gives exactly the commit's files, without history", async () => {
    const bytes = 'crlf\r\n tab\t é\n';
    const commit = await host.commit({
      files: {
        'a.txt': bytes,
        'deep/er/b.yaml': 'x: 1\n',
        'run.sh': { mode: '100755', content: '#!/bin/sh\n' },
        '.slipway-index': 'a file like any other\n',
        empty: '',
      },
    });
    await host.commit({ files: { later: '' } });
    const folder = await target();
    await mirrorOf().checkout(commit, folder);
    expect((await filesOf(folder)).sort()).toEqual([
      ...['.slipway-index', 'a.txt', 'deep', 'deep/er', 'deep/er/b.yaml', 'empty', 'run.sh'],
    ]);
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe(bytes);
    expect((await stat(join(folder, 'run.sh'))).mode & 0o111).toBe(0o111);
    expect((await readdir(mirrorFolder)).filter((name) => name.startsWith('index'))).toEqual([]);
  });

  it('runs no program that the commit names', async () => {
    const commit = await host.commit({
      files: { '.gitattributes': '* filter=evil\n', '.gitconfig': '[filter "evil"] smudge=false' },
    });
    const folder = await target();
    await mirrorOf().checkout(commit, folder);
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('one\n');
  });

  it('of several commits at once keeps them apart', async () => {
    const commits = [first];
    for (const word of ['two', 'three', 'four']) {
      commits.push(await host.commit({ files: { 'a.txt': `${word}\n` } }));
    }
    const mirror = mirrorOf();
    const texts = commits.map(async (commit) => {
      const folder = await target();
      await mirror.checkout(commit, folder);
      return readFile(join(folder, 'a.txt'), 'utf8');
    });
    expect(await Promise.all(texts)).toEqual(['one\n', 'two\n', 'three\n', 'four\n']);
  });

  it.each([
    [
      'a symbolic link',
      'link',
      { mode: '120000', content: '/etc/passwd' },
      'link is a symbolic link',
    ],
    ['a submodule', 'lib', { mode: '160000', content: UNKNOWN }, 'lib is a submodule'],
    ['control characters in a name', 'a\nb', 'x', 'control characters'],
  ])('is refused for %s', async (_what, path, file, why) => {
    const commit = await host.commit({ files: { [path]: file } });
    const folder = await target();
    await expect(mirrorOf().checkout(commit, folder)).rejects.toMatchObject({
      code: 'repository-refused',
      message: expect.stringContaining(why) as string,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is refused for a path that would become git configuration', async () => {
    const blob = await host.git(['hash-object', '-w', '--stdin'], 'x');
    const inner = await host.git(['mktree'], `100644 blob ${blob}\tconfig\n`);
    const tree = await host.git(['mktree'], `040000 tree ${inner}\t.git\n`);
    const identity = ['-c', 'user.name=Eve', '-c', 'user.email=eve@example.org'];
    const commit = await host.git([...identity, 'commit-tree', '-m', 'Evil', tree]);
    await host.git(['update-ref', 'refs/heads/main', commit]);
    await expect(mirrorOf().checkout(commit, await target())).rejects.toMatchObject({
      code: 'repository-refused',
    });
  });
});

describe('the token', () => {
  it('reaches the server as the password, and stands on no command line', async () => {
    host.token = TOKEN;
    const commandLines: string[] = [];
    const sent: (string | undefined)[] = [];
    host.intercept = ({ headers }) => {
      commandLines.push(...allCommandLines());
      sent.push(headers.authorization);
      return Promise.resolve(undefined);
    };
    const mirror = mirrorOf('main', { token: TOKEN });
    expect(await mirror.head()).toBe(first);
    expect((await mirror.commit(first)).title).toBe('Start');
    expect(sent).toContain(`Basic ${btoa(`x-access-token:${TOKEN}`)}`);
    expect(commandLines.some((line) => line.includes('remote-http'))).toBe(true);
    expect(commandLines.filter((line) => line.includes(TOKEN))).toEqual([]);
    for (const file of await filesOf(mirrorFolder)) {
      const content = await readFile(join(mirrorFolder, file)).catch(() => '');
      expect(content.includes(TOKEN), file).toBe(false);
    }
  });

  it('reaches the server from many calls at once', async () => {
    host.token = TOKEN;
    const mirror = mirrorOf('main', { token: TOKEN });
    const heads = await Promise.all(Array.from({ length: 12 }, () => mirror.head()));
    expect(new Set(heads)).toEqual(new Set([first]));
  });

  it.each([
    ['wrong', 401, 'ghp_another-token-that-is-wrong'],
    ['missing', 401, undefined],
    ['without the right', 403, TOKEN],
  ])('that is %s is named as the cause, without its value', async (_what, status, token) => {
    host.token = TOKEN;
    host.intercept = () => Promise.resolve(status === 403 ? status : undefined);
    const error = await mirrorOf('main', token === undefined ? {} : { token })
      .head()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'git-auth' });
    expect(JSON.stringify([error, String(error)])).not.toContain('ghp_');
  });
});

describe('a forge that is away', () => {
  it.each([
    ['does not listen', 'http://127.0.0.1:1/repo.git'],
    ['has no such host', 'https://no-such-host.invalid/repo.git'],
  ])('and %s may come back', async (_what, url) => {
    await expect(mirrorOf('main', { url }).head()).rejects.toMatchObject({
      code: 'git-unreachable',
    });
  });

  it('and answers with an error of its own may come back', async () => {
    host.intercept = () => Promise.resolve(503);
    await expect(mirrorOf().commit(first)).rejects.toMatchObject({ code: 'git-unreachable' });
    host.intercept = undefined;
    expect((await mirrorOf().commit(first)).title).toBe('Start');
  });

  it('and hangs is left when the work is cancelled, and the lock files that stay do not block', async () => {
    const mirror = mirrorOf();
    await mirror.commit(first);
    const second = await host.commit({ files: { b: '' } });
    const abort = new AbortController();
    const reason = new Error('cancelled');
    host.intercept = () => {
      abort.abort(reason);
      return new Promise(() => undefined);
    };
    await expect(mirror.commit(second, abort.signal)).rejects.toBe(reason);
    host.intercept = undefined;
    await plantLocks();
    expect((await mirror.commit(second)).commit).toBe(second);
  });
});

it('lock files of a worker that was killed do not block the next one', async () => {
  await mirrorOf().commit(first);
  const second = await host.commit({ files: { b: '' } });
  await plantLocks();
  expect((await mirrorOf().commit(second)).commit).toBe(second);
});

it('several commits can be fetched at once', async () => {
  const mirror = mirrorOf();
  const commits = [first];
  for (const branch of ['b1', 'b2', 'b3']) {
    commits.push(await host.commit({ branch, parents: [first], files: { [branch]: '' } }));
  }
  const found = await Promise.all(commits.map((commit) => mirror.commit(commit)));
  expect(found.map(({ commit }) => commit)).toEqual(commits);
});

describe('what the configuration names', () => {
  it.each(['--upload-pack=touch', '-b', 'a b', 'a\nb', '', 'x'.repeat(201)])(
    'as a branch is no option and no second command: %j',
    (branch) => {
      expect(() => mirrorOf(branch)).toThrow('bad branch');
    },
  );

  it.each([
    (folder: string) => `--upload-pack=touch ${folder}/owned`,
    (folder: string) => `ext::sh -c touch% ${folder}/owned`,
    (folder: string) => `file://${folder}/served/repo.git`,
    (folder: string) => `${folder}/served/repo.git`,
    () => `ssh://-oProxyCommand=touch/owned`,
  ])('as an address is no option, no program and no file', async (urlIn) => {
    const url = urlIn(host.folder);
    await expect(mirrorOf('main', { url }).head()).rejects.toThrow(/asking for the head/);
    await expect(mirrorOf('main', { url }).commit(first)).rejects.toThrow(/fetching/);
    expect(await readdir(host.folder)).not.toContain('owned');
  });

  it('as an address with a password in it is refused, and the password is not shown', async () => {
    const url = host.url.replace('//', '//user:hunter2hunter2@');
    const error = await mirrorOf('main', { url })
      .head()
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('plaintext credentials');
    expect(String(error)).not.toContain('hunter2');
  });
});

function mirrorOf(branch = 'main', access: { token?: string; url?: string } = {}): Mirror {
  const path = process.env.PATH ?? '/usr/bin:/bin';
  return new Mirror({ path, url: host.url, folder: mirrorFolder, ...access }, branch);
}

/** Leaves behind what a git leaves that is killed while it writes. */
async function plantLocks(): Promise<void> {
  const dir = join(mirrorFolder, 'mirror.git');
  await mkdir(join(dir, 'refs', 'slipway'), { recursive: true });
  for (const name of ['config.lock', 'packed-refs.lock', 'refs/slipway/branch.lock']) {
    await writeFile(join(dir, name), '');
  }
}

function target(): Promise<string> {
  return mkdtemp(join(host.folder, 'tree-'));
}

function filesOf(folder: string): Promise<string[]> {
  return readdir(folder, { recursive: true });
}

function allCommandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}
