import { mkdtemp, readdir, readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import { askForMissing } from '../../src/main/init-questions.ts';
import { personIn } from '../support/person.ts';

const CLI = join(import.meta.dirname, '../../src/main/cli.ts');
const FLAGS = [
  ...['--yes', '--url', 'https://git.example.org/deployments.git'],
  ...['--chart-repository', 'charts=https://charts.example.org'],
  ...['--service', 'example-api:2.4.1=charts/example-api@^1.0.0'],
  ...['--cluster', 'notprod=https://kube.example.org'],
  ...['--environment', 'cs-qa=qa@notprod', '--environment', 'wcs-qa=qa@notprod'],
];

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'slipway-init-'));
  folder = join(parent, 'deployments');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('slipway init', () => {
  it('makes a repository, and a valid configuration with the schema that its first line names', async () => {
    const { stdout, stderr, exitCode } = await slipway('init', folder, ...FLAGS);
    expect(exitCode, stderr).toBe(0);
    expect(stdout.trim().split('\n')).toContain(join(folder, 'helmfile.yaml.gotmpl'));
    expect(stderr).toContain('--repository deployments --environment cs-qa');
    const config = await readFile(join(folder, 'slipway.yaml'), 'utf8');
    expect(config).toMatch(/^# yaml-language-server: \$schema=\.\/slipway\.schema\.json\n/);
    expect(await readdir(folder)).toContain('slipway.schema.json');
    const checked = await slipway('config', join(folder, 'slipway.yaml'));
    expect(checked.stderr).toBe('');
    const bumped = await slipway(
      ...['bump', 'example-api=2.4.2', '--env', 'wcs-qa', '--repository', folder],
    );
    expect(bumped.stdout).toBe('wcs-qa: example-api 2.4.1 → 2.4.2\n');
  });

  it('takes the URL of origin in a folder that git knows', async () => {
    await mkdir(folder);
    await git('init', '--quiet');
    await git('remote', 'add', 'origin', 'https://me:hunter2@git.example.org/own.git');
    const { exitCode } = await slipway('init', folder, '--yes', ...FLAGS.slice(3));
    expect(exitCode).toBe(0);
    const config = await readFile(join(folder, 'slipway.yaml'), 'utf8');
    expect(config).toContain('url: https://git.example.org/own.git\n');
    expect(config).not.toContain('hunter2');
  });

  it('writes over nothing', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'charts.yaml'), 'mine');
    const { stderr, exitCode } = await slipway('init', folder, ...FLAGS);
    expect(stderr).toContain(`charts.yaml is there already in ${folder}: nothing was written.`);
    expect(exitCode).toBe(7);
    expect(await readdir(folder)).toEqual(['charts.yaml']);
    expect(await readFile(join(folder, 'charts.yaml'), 'utf8')).toBe('mine');
  });

  it.each<[flag: string, value: string, message: string]>([
    ['--chart-repository', 'own=https://me:hunter2@charts.example.org', 'has credentials in it'],
    ['--chart-repository', 'own=ftp://charts.example.org', 'must be an https or oci URL'],
    ['--cluster', 'own=http://kube.example.org', 'must be https; http is for loopback only'],
  ])('refuses %s %s, and does not repeat a password', async (flag, value, message) => {
    const { stderr, exitCode } = await slipway('init', folder, ...FLAGS, flag, value);
    expect(stderr).toContain(`${flag} own=… ${message}`);
    expect(stderr).not.toContain('hunter2');
    expect(exitCode).toBe(2);
    expect(await readdir(parent)).toEqual([]);
  });

  it('names every flag that is missing where there is nobody to ask', async () => {
    const { stderr, exitCode } = await slipway('init', folder);
    expect(exitCode).toBe(2);
    for (const flag of ['chart-repository', 'service', 'cluster', 'environment', 'url']) {
      expect(stderr).toContain(`--${flag} `);
    }
    expect(await readdir(parent)).toEqual([]);
  });
});

describe('the questions', () => {
  const NOTHING = {
    ...{ chartRepository: [], service: [], environment: [], cluster: [] },
    ...{ branch: 'main', versionValue: 'image.tag' },
  };

  it('lead to what the flags would say; a wrong answer is asked for again', async () => {
    const { answers, said } = await answered(NOTHING, [
      ...['not a url', 'https://git.example.org/deployments.git'],
      ...['charts', 'https://charts.example.org', ''],
      'generic-service.version',
      ...['Example', 'example-api', '2.4.1', 'charts/example-api', '', ''],
      ...['notprod', 'https://kube.example.org', ''],
      ...['cs-qa', 'qa', '', 'wcs-qa', 'qa', 'notprod', ''],
    ]);
    expect(answers).toEqual({
      ...NOTHING,
      url: 'https://git.example.org/deployments.git',
      chartRepository: ['charts=https://charts.example.org'],
      versionValue: 'generic-service.version',
      service: ['example-api:2.4.1=charts/example-api@^1.0.0'],
      cluster: ['notprod=https://kube.example.org'],
      environment: ['cs-qa=qa@notprod', 'wcs-qa=qa@notprod'],
    });
    expect(said).toContain('It must be an https URL, an ssh URL or user@host:path.');
    expect(said).toContain('"Example" is no name of a service: at most 53');
  });

  it('are not asked where a flag has answered', async () => {
    const given = {
      ...NOTHING,
      url: 'https://git.example.org/deployments.git',
      chartRepository: ['charts=https://charts.example.org'],
      service: ['example-api:2.4.1=charts/example-api@^1.0.0'],
      cluster: ['notprod=https://kube.example.org'],
    };
    const { answers, said } = await answered(given, ['cs-qa', '', '', '']);
    expect(answers).toEqual({ ...given, environment: ['cs-qa=cs-qa@notprod'] });
    expect(said).not.toMatch(/Next (service|cluster|chart repository)/);
  });
});

/** Answers one line to each question. */
async function answered(options: Parameters<typeof askForMissing>[0], lines: string[]) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const left = [...lines];
  let said = '';
  output.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    // A question ends with a colon and a space; the terminal may follow it by moving its cursor.
    if (/: (\u001b\[\d+G)?$/.test(chunk.toString())) input.write(`${left.shift() ?? ''}\n`);
  });
  const answers = await askForMissing(options, { input, output });
  expect(left).toEqual([]);
  return { answers, said };
}

function slipway(...args: string[]) {
  return run(process.execPath, [CLI, ...args], { env: personIn(parent), cwd: parent });
}

async function git(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await run('git', args, { env: personIn(parent), cwd: folder });
  expect(exitCode, stderr).toBe(0);
}
