import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { importRepository, type ImportOptions } from '../../src/main/import.ts';
import { personIn } from '../support/person.ts';
import { printed } from '../support/printed.ts';

const CLI = join(import.meta.dirname, '../../src/main/cli.ts');
const FILES: Readonly<Record<string, string>> = {
  '.drone.yml': `kind: pipeline
name: deploy
trigger: { event: push, branch: main }
steps:
  - name: qa
    environment:
      KUBE_NAMESPACE: qa
      KUBE_CLUSTER: notprod
      KUBE_SERVER: https://kube.example.org
      KUBE_TOKEN: { from_secret: token }
    commands: [bash deploy.sh]
`,
  'deploy.sh': 'helmfile -f helmfile.yaml apply -e $KUBE_NAMESPACE\n./after.sh',
  'helmfile.yaml':
    'environments:\n  qa: {}\nreleases:\n- name: {{ .Values.a-b }}\n  chart: ./chart # ünïcode',
};

let folder: string;
let repository: string;
let env: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-import-'));
  repository = join(folder, 'deployments');
  env = personIn(folder);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  await write(FILES);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('commit', '--quiet', '--message=start');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe('slipway import', () => {
  it('proposes a diff that git can apply, and changes nothing', async () => {
    const { stdout, exitCode } = await slipway();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('\nNot carried over:\n  deploy.sh:2: the command `./after.sh`\n');
    expect(await texts()).toEqual(FILES);
    await writeFile(join(folder, 'proposed'), stdout);
    await git('apply', '../proposed');
    const applied = await texts();
    await git('checkout', '--quiet', '.');
    await git('clean', '--quiet', '--force');
    await slipway({ write: true });
    expect(await texts()).toEqual(applied);
  });

  it('makes the change, which is a valid configuration, and then finds nothing more to do', async () => {
    const { stdout } = await slipway({ write: true });
    expect(stdout).toContain('changed helmfile.yaml, now helmfile.yaml.gotmpl\nnew slipway.yaml\n');
    const { 'slipway.yaml': config = '', ...rest } = await texts();
    expect(rest).toEqual({
      '.drone.yml': FILES['.drone.yml'],
      'deploy.sh': FILES['deploy.sh']?.replace('helmfile.yaml', 'helmfile.yaml.gotmpl'),
      'helmfile.yaml.gotmpl':
        'environments:\n  qa: {}\n---\nreleases:\n- name: {{ index .Values "a-b" }}\n  chart: ./chart # ünïcode',
    });
    expect(parseConfig(config, 'slipway.yaml').ok).toBe(true);
    expect((await slipway()).stdout).toMatch(/^Nothing to change\.\n/);
    expect((await slipway({ write: true })).exitCode).toBe(0);
  });

  it('commits the change on a new branch, and leaves the checkout alone', async () => {
    const { stdout, exitCode } = await slipway({ branch: 'to/slipway' });
    expect({ stdout, exitCode }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/^committed [0-9a-f]{12} on the branch to\/slipway$/m);
    expect(await texts()).toEqual(FILES);
    expect(await git('status', '--porcelain')).toBe('');
    expect(await git('worktree', 'list', '--porcelain')).toMatch(
      /^worktree \S+\nHEAD \w+\nbranch refs\/heads\/main\n\n$/,
    );
    expect(await git('log', '--format=%B', '-1', 'to/slipway'))
      .toBe(`Bring the repository to helmfile 1 and Slipway

- deploy.sh
- helmfile.yaml → helmfile.yaml.gotmpl
- slipway.yaml: environments as the pipelines deployed them

`);
    await git('switch', '--quiet', 'to/slipway');
    expect((await slipway()).stdout).toMatch(/^Nothing to change\.\n/);
  });

  it('is a command with these options', async () => {
    const args = [CLI, 'import', repository, '--json'];
    const { stdout, exitCode } = await run(process.execPath, args, { env });
    expect({ exitCode, ...(JSON.parse(stdout) as object) }).toMatchObject({
      exitCode: 0,
      changes: [{}, {}, {}],
    });
  });

  it('says all of it as JSON', async () => {
    const { stdout } = await slipway({ json: true });
    expect(JSON.parse(stdout)).toMatchObject({
      changes: [{ path: 'deploy.sh' }, { path: 'helmfile.yaml' }, { newPath: 'slipway.yaml' }],
      notes: expect.arrayContaining([
        { kind: 'not carried over', file: 'deploy.sh', line: 2, text: 'the command `./after.sh`' },
      ]) as unknown,
    });
  });

  it('leaves an existing configuration to people, and says what it lacks', async () => {
    await slipway({ write: true });
    const text = await readFile(join(repository, 'slipway.yaml'), 'utf8');
    await write({ 'slipway.yaml': text.replace('      qa:', '      other:') });
    const { stdout } = await slipway();
    expect(stdout).toContain(
      'slipway.yaml: the environment qa, which Drone deploys, is not configured',
    );
  });

  it('reads no links, and no file that is gone or is not meant to be text', async () => {
    await symlink('helmfile.yaml', join(repository, 'link.yaml'));
    await writeFile(join(repository, 'notes.md'), Buffer.from([0xff, 0xfe]));
    await rm(join(repository, 'deploy.sh'));
    const { stdout, exitCode } = await slipway();
    expect({ exitCode, names: stdout.match(/link\.yaml|notes\.md|diff --git a\/deploy/) }).toEqual({
      exitCode: 0,
      names: null,
    });
  });
});

describe('slipway import refuses, and leaves every file as it was', () => {
  it('a changed file', async () => {
    await write({ 'helmfile.yaml': `${FILES['helmfile.yaml'] ?? ''}\n# mine\n` });
    for (const options of [{ write: true }, { branch: 'b' }]) {
      await refused(options, /^helmfile\.yaml has changes that are not committed/, 'conflict');
    }
  });

  it('a branch over changes that it would not have', async () => {
    await git('rm', '--quiet', '--cached', 'deploy.sh');
    await git('commit', '--quiet', '--message=other');
    await write({ 'chart.txt': 'x' });
    await git('add', 'chart.txt');
    await refused({ branch: 'b' }, /^chart\.txt has changes that are not committed/, 'conflict');
  });

  it.each([
    ['bad YAML', { '.drone.yml': 'steps: [' }, /^\.drone\.yml:\d+ is not valid YAML/],
    [
      'steps in a circle',
      { '.drone.yml': 'steps: [{ name: a, depends_on: [a] }]' },
      /goes round in a circle: a → a/,
    ],
    ['an alias of itself', { '.drone.yml': 'steps: [&a { <<: *a }]' }, /aliases nest too deep/],
    ['another encoding', { 'x.yaml': Buffer.from([0xe4]) }, /x\.yaml is not UTF-8/],
  ])('%s', async (_what, files, message) => {
    await write(files);
    await refused({ write: true }, message, 'invalid');
  });

  it('a branch that is there, and what is no name of one', async () => {
    await refused({ branch: 'main' }, /^There is a branch main already/, 'conflict');
    await refused({ branch: '-x' }, /^"-x" is no name of a branch/, 'invalid');
  });

  it('a folder that is no repository, or has nothing to deploy', async () => {
    const outside = importRepository(folder, { write: true });
    await expect(outside).rejects.toThrow('is no git repository');
    await git('rm', '--quiet', '-r', '.');
    await write({ 'README.md': '' });
    await refused({ write: true }, /has neither a helmfile nor a \.drone\.yml/, 'invalid');
  });

  it('a commit that a hook refuses', async () => {
    await mkdir(join(repository, '.git/hooks'), { recursive: true });
    await writeFile(join(repository, '.git/hooks/pre-commit'), '#!/bin/sh\nexit 1\n', {
      mode: 0o755,
    });
    await refused({ branch: 'b' }, /^git refused the commit/, 'conflict');
    expect(await git('branch', '--list', 'b')).toBe('');
  });
});

async function refused(options: ImportOptions, message: RegExp, code: string): Promise<void> {
  const before = await texts();
  const error: unknown = await importRepository(repository, options).catch((e: unknown) => e);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
  expect(await texts()).toEqual(before);
}

async function write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(repository, file)), { recursive: true });
    await writeFile(join(repository, file), text);
  }
}

/** Every file of the checkout. */
async function texts(): Promise<Record<string, string>> {
  const names = (await readdir(repository)).filter((name) => name !== '.git').sort();
  const read = names.map(
    async (name) => [name, await readFile(join(repository, name), 'utf8')] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

function slipway(options: ImportOptions = {}) {
  return printed(() => importRepository(repository, options));
}

async function git(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run('git', args, { env, cwd: repository });
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}
