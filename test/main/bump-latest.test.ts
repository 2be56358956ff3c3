import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { run } from '../../src/adapters/process/run.ts';
import { startLoopbackServer } from '../../src/main/dev/loopback-server.ts';
import { startGitHost, type GitHost } from '../support/git-host.ts';
import { personIn } from '../support/person.ts';

const CLI = join(import.meta.dirname, '../../src/main/cli.ts');
const VERSIONS = 'versions:\n  audit: 2.18.3 # why\n  search: v3.0.3\n  free: 1.0.0\n';
const FILE = 'environments/qa/versions.yaml';

let git: GitHost;
let registry: Awaited<ReturnType<typeof startLoopbackServer>>;
let folder: string;

beforeAll(async () => {
  git = await startGitHost();
  const commit = await git.commit({ files: { 'README.md': 'audit' } });
  for (const tag of ['v2.18.4', 'v2.19.0-rc.1', 'v3.0.0', 'nightly']) {
    await git.git(['tag', tag, commit]);
  }
  registry = await startLoopbackServer((request, response) => {
    if (request.headers.authorization !== `Basic ${btoa('robot:secret')}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="images"' }).end();
    } else if (request.url?.startsWith('/v2/hocs/search/tags/list')) {
      response.end(JSON.stringify({ tags: ['v3.0.3', 'v3.1.0', 'v3.1.0-alpine', 'latest'] }));
    } else response.writeHead(404).end();
  });
});
afterAll(async () => {
  await registry.stop();
  await git.stop();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-latest-'));
  await write(FILE, VERSIONS);
  await write('slipway.yaml', configuration());
  const auths = { [new URL(registry.url).host]: { auth: btoa('robot:secret') } };
  await write('.docker/config.json', JSON.stringify({ auths }));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('slipway bump --latest', () => {
  it('takes the newest git tag of a service, within its major version', async () => {
    const { stdout, stderr, exitCode } = await bump('audit', '--latest', '--env', 'qa');
    expect(stderr).toBe('');
    expect(stdout).toBe(
      'qa: audit 2.18.3 → 2.18.4\n  note: audit 3.0.0 is there too; --allow-major takes it\n',
    );
    expect(exitCode).toBe(0);
    expect(await versions()).toBe(VERSIONS.replace('2.18.3', '2.18.4'));
  });

  it('takes a later major version where that is allowed', async () => {
    await bump('audit', '--latest', '--allow-major', '--env', 'qa');
    expect(await versions()).toBe(VERSIONS.replace('2.18.3', '3.0.0'));
  });

  it('takes the newest tag of an image, with the login of docker', async () => {
    const { stdout } = await bump('search', '--latest', '--env', 'qa');
    expect(stdout).toBe('qa: search v3.0.3 → v3.1.0\n');
    expect(await versions()).toBe(VERSIONS.replace('v3.0.3', 'v3.1.0'));
  });

  it('takes all that have a source where no key is named, and changes nothing the second time', async () => {
    await bump('--latest', '--env', 'qa');
    const changed = VERSIONS.replace('2.18.3', '2.18.4').replace('v3.0.3', 'v3.1.0');
    expect(await versions()).toBe(changed);
    const { stdout } = await bump('--latest', '--env', 'qa');
    expect(stdout).toMatch(/^qa: nothing to change\n/);
    expect(await versions()).toBe(changed);
  });

  it.each<[why: string, args: string[], message: RegExp, status: number]>([
    ['a key without a source', ['free', '--latest'], /no `versionSources` entry for free/, 6],
    ['versions beside it', ['audit=1.0.0', '--latest'], /one of them/, 2],
    ['--allow-major without it', ['audit=1.0.0', '--allow-major'], /belong to --latest/, 2],
    [
      'a file that is not there',
      ['audit', '--latest', '--config', '/nowhere/slipway.yaml'],
      /\/nowhere\/slipway.yaml/,
      1,
    ],
  ])('refuses %s, and leaves the file as it was', async (_why, args, message, status) => {
    const { stderr, exitCode } = await bump(...args, '--env', 'qa');
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(status);
    expect(await versions()).toBe(VERSIONS);
  });

  it('says who refuses, and where a login is given', async () => {
    await write('.docker/config.json', '{}');
    const { stderr, exitCode } = await bump('--latest', '--env', 'qa');
    expect(stderr).toContain('it refuses access; log in by `docker login 127.0.0.1');
    expect(exitCode).toBe(1);
    expect(await versions()).toBe(VERSIONS);
  });
});

function configuration(): string {
  return stringify({
    version: 1,
    server: { url: 'https://slipway.example.org' },
    database: { url: { env: 'DATABASE_URL' } },
    temporal: { address: 'temporal:7233' },
    dataDir: '/var/lib/slipway',
    clusters: {
      notprod: { server: 'https://kube.example.org', token: { env: 'KUBE_TOKEN' } },
    },
    repositories: {
      notprod: {
        url: 'https://git.example.org/deployments.git',
        environments: { qa: { cluster: 'notprod' } },
        versionSources: {
          audit: { git: git.url },
          search: { image: `${new URL(registry.url).host}/hocs/search` },
        },
      },
    },
  });
}

function bump(...args: string[]) {
  return run(process.execPath, [CLI, 'bump', ...args, '--repository', folder], {
    env: personIn(folder),
  });
}

function versions(): Promise<string> {
  return readFile(join(folder, FILE), 'utf8');
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), text);
}
