import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import { personIn } from '../support/person.ts';

const CLI = join(import.meta.dirname, '../../src/main/cli.ts');
const QA = 'environments/qa/versions.yaml';
const UAT = 'environments/uat/versions.yaml';
const FILES = {
  'helmfile.yaml.gotmpl': `environments:
  cs-qa: { values: [environments/qa/versions.yaml] }
  wcs-qa: { values: [environments/qa/versions.yaml] }
  cs-uat: { values: [environments/uat/versions.yaml] }
---
releases: []
`,
  [QA]: '# what runs\nversions:\n  hocs-audit: 2.18.3 # why\n  hocs-search: "3.0.3"\n',
  [UAT]: 'versions:\n  hocs-audit: 2.18.0\n  hocs-search: 3.0.0\n  only-uat: 1.0.0\n',
};

let folder: string;
let repository: string;
let env: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-bump-'));
  repository = join(folder, 'repository');
  env = personIn(folder);
  for (const [file, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(repository, file)), { recursive: true });
    await writeFile(join(repository, file), text);
  }
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('slipway bump', () => {
  it('sets a version for environments that share a folder, and says what changed', async () => {
    const { stdout, exitCode } = await bump(
      'hocs-audit=2.18.4',
      '--env',
      'cs-qa',
      '--env',
      'wcs-qa',
    );
    expect(stdout).toBe('cs-qa, wcs-qa: hocs-audit 2.18.3 → 2.18.4\n');
    expect(exitCode).toBe(0);
    expect(await text(QA)).toBe(FILES[QA].replace('2.18.3', '2.18.4'));
    expect(await text(UAT)).toBe(FILES[UAT]);
    expect(await readdir(join(repository, 'environments/qa'))).toEqual(['versions.yaml']);
  });

  it('takes the name of a folder too', async () => {
    await bump('hocs-audit=2.18.4', '--env', 'uat');
    expect(await text(UAT)).toBe(FILES[UAT].replace('2.18.0', '2.18.4'));
    await bump('hocs-audit=2.18.5', '--env', join(repository, 'environments/uat/'));
    expect(await text(UAT)).toBe(FILES[UAT].replace('2.18.0', '2.18.5'));
  });

  it('shows the change as a diff on a dry run, and writes nothing', async () => {
    const { stdout } = await bump('hocs-search=3.0.4', '--env', 'qa', '--dry-run');
    expect(stdout).toContain('--- a/environments/qa/versions.yaml\n');
    expect(stdout).toContain('-  hocs-search: "3.0.3"\n+  hocs-search: "3.0.4"\n');
    expect(await text(QA)).toBe(FILES[QA]);
  });

  it('takes versions from another environment, all that both have or those that are named', async () => {
    await bump('hocs-search', '--from', 'cs-qa', '--env', 'cs-uat');
    expect(await text(UAT)).toBe(FILES[UAT].replace('3.0.0', '3.0.3'));
    const { stdout } = await bump('--from', 'cs-qa', '--env', 'cs-uat');
    expect(stdout).toBe('cs-uat: hocs-audit 2.18.0 → 2.18.3\n');
    expect(await text(UAT)).toContain('only-uat: 1.0.0');
  });

  it('changes nothing the second time', async () => {
    await bump('hocs-audit=2.18.4', '--env', 'qa');
    const { stdout, exitCode } = await bump('hocs-audit=2.18.4', '--env', 'qa');
    expect([stdout, exitCode]).toEqual(['qa: nothing to change\n', 0]);
  });

  it('commits the change alone, with a summary, and pushes it', async () => {
    await git('init', '--quiet', '--initial-branch=main');
    await git('add', '.');
    await git('commit', '--quiet', '--message=start');
    await git('init', '--quiet', '--bare', join(folder, 'origin.git'));
    await git('remote', 'add', 'origin', join(folder, 'origin.git'));
    await writeFile(join(repository, 'notes.txt'), 'mine');
    const args = ['hocs-audit=2.18.4', 'hocs-search=3.0.4', '--env', 'cs-qa'];
    const { stdout } = await bump(...args, '--push', 'bump/audit');
    expect(stdout).toMatch(/committed [0-9a-f]{12}\npushed to bump\/audit\n$/);
    const log = ['log', '-1', '--format=%s', '--name-only'];
    expect(await git(...log, 'HEAD')).toBe(
      `cs-qa: hocs-audit 2.18.3 → 2.18.4, hocs-search 3.0.3 → 3.0.4\n\n${QA}\n`,
    );
    const pushed = await git(`--git-dir=${join(folder, 'origin.git')}`, 'rev-parse', 'bump/audit');
    expect(pushed).toBe(await git('rev-parse', 'HEAD'));
  });
});

describe('slipway bump refuses, and leaves every file as it was', () => {
  it.each([
    ['an unknown key', ['hocs-adit=1.0.0', '--env', 'qa'], /Did you mean "hocs-audit"\?/, 6],
    ['an unknown environment', ['hocs-audit=1.0.0', '--env', 'cs-qo'], /did you mean "cs-qa"\?/, 6],
    ['one wrong of two', ['hocs-audit=1.0.0', '--env', 'qa', '--env', 'no'], /"no"/, 6],
    ['what is no version', ['hocs-audit=1 0', '--env', 'qa'], /"1 0" is no version/, 2],
    ['a key twice', ['hocs-audit=1', 'hocs-audit=2', '--env', 'qa'], /named twice/, 2],
    ['no version', ['hocs-audit', '--env', 'qa'], /Which version of hocs-audit\?/, 2],
    ['no environment', ['hocs-audit=1.0.0'], /--env/, 2],
    [
      'a commit outside of git',
      ['hocs-audit=1.0.0', '--env', 'qa', '--commit'],
      /no git repository/,
      2,
    ],
  ])('%s', async (_, args, message, status) => {
    const { stderr, exitCode } = await bump(...args);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(status);
    expect([await text(QA), await text(UAT)]).toEqual([FILES[QA], FILES[UAT]]);
  });

  it('a commit over changes that are not committed', async () => {
    await git('init', '--quiet');
    await git('add', '.');
    await git('commit', '--quiet', '--message=start');
    await writeFile(join(repository, QA), `${FILES[QA]}# more\n`);
    const { stderr, exitCode } = await bump('hocs-audit=1.0.0', '--env', 'qa', '--commit');
    expect(stderr).toContain(`${QA} has changes that are not committed`);
    expect(exitCode).toBe(7);
    expect(await text(QA)).toBe(`${FILES[QA]}# more\n`);
  });
});

function bump(...args: string[]) {
  const all = [CLI, 'bump', ...args, '--repository', repository];
  return run(process.execPath, all, { env });
}

async function git(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await run('git', args, { env, cwd: repository });
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

function text(file: string): Promise<string> {
  return readFile(join(repository, file), 'utf8');
}
