import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Evaluations } from '../../src/adapters/helmfile/evaluations.ts';
import { Helmfile } from '../../src/adapters/helmfile/helmfile.ts';
import { withWorkspace } from '../../src/adapters/helmfile/workspace.ts';
import { ensureTools } from '../../src/adapters/tools/ensure-tools.ts';
import { SlipwayError } from '../../src/domain/errors.ts';
import { createGrowingRedactor } from '../../src/domain/redact/growing.ts';

/** What no hostile repository may bring out of the worker. */
const CANARY = 'canary-7f3a9c2e51d84b06';
const CHART = { 'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n' };

let folder: string;
let tools: { helm: string; helmfile: string };

beforeAll(async () => {
  tools = await ensureTools(['helm', 'helmfile']);
  folder = await mkdtemp(join(tmpdir(), 'slipway-gate-'));
  await writeFile(join(folder, 'outside.yaml'), `secret: ${CANARY}\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Hostile {
  files: Readonly<Record<string, string>>;
  says: RegExp;
}

const release = (more: string) => `releases:\n  - {name: api, chart: ./chart, ${more}}\n`;
/** A command that leaves its mark, if anything runs it. */
const mark = () => join(folder, 'ran');

/** Ten of the hostile repositories, by their number; each is refused by helmfile's switches or the gate. */
const HOSTILE: Readonly<Record<string, () => Hostile>> = {
  '01 exec in a template': () => ({
    files: {
      'helmfile.yaml.gotmpl': release(
        `labels: {x: {{ exec "/bin/sh" (list "-c" "touch ${mark()}") }}}`,
      ),
    },
    says: /helmfile.yaml.gotmpl: exec is called by a template; permit it with `allow: \[exec\]`/,
  }),
  '03 readFile of a values file': () => ({
    files: {
      'helmfile.yaml': release('values: [v.yaml.gotmpl]'),
      'v.yaml.gotmpl': `k: {{ readFile "${folder}/outside.yaml" | quote }}\n`,
    },
    says: /v.yaml.gotmpl: readFile is called by a template; permit it with `allow: \[readFile\]`/,
  }),
  '10 ref+exec in a values file': () => ({
    files: {
      'helmfile.yaml': release('values: [v.yaml]'),
      'v.yaml': `k: ref+exec:///bin/sh?args=-c,touch ${mark()}\n`,
    },
    says: /service api: releases\[0\].values\[0\] \(v.yaml\) refers to ref\+exec:\/\/; nothing permits/,
  }),
  '12 ref+file in environment values': () => ({
    files: {
      'helmfile.yaml.gotmpl': `environments: {default: {values: [{k: "ref+file://${folder}/outside.yaml"}]}}\n---\n${release('installed: true')}`,
    },
    says: /renderedvalues.k refers to ref\+file:\/\/; nothing permits/,
  }),
  '19 a hook of a release': () => ({
    files: {
      'helmfile.yaml': release(
        `hooks: [{events: [prepare, preapply], command: /bin/touch, args: [${mark()}]}]`,
      ),
    },
    says: /hooks runs commands; permit it with `allow: \[hooks\]`/,
  }),
  '20 a hook of the helmfile': () => ({
    files: {
      'helmfile.yaml': `hooks: [{events: [prepare], command: /bin/touch, args: [${mark()}]}]\n${release('installed: true')}`,
    },
    says: /helmfile.yaml: hooks runs commands; permit it with `allow: \[hooks\]`/,
  }),
  '30 a kubeconfig among the arguments': () => ({
    files: {
      'helmfile.yaml': `helmDefaults: {syncArgs: [--kubeconfig, /etc/other]}\n${release('installed: true')}`,
    },
    says: /helmDefaults.syncArgs passes --kubeconfig to helm; nothing permits/,
  }),
  '28 a post-renderer': () => ({
    files: { 'helmfile.yaml': release('postRenderer: ./evil.sh') },
    says: /postRenderer runs a command; permit it with `allow: \[postRenderer\]`/,
  }),
  '33 values from outside': () => ({
    files: { 'helmfile.yaml': release(`values: ["${folder}/outside.yaml"]`) },
    says: /releases\[0\].values\[0\] leaves the repository/,
  }),
  '43 a file of the environment that a plugin would decrypt': () => ({
    files: {
      'helmfile.yaml': `environments: {default: {secrets: [s.yaml]}}\n---\n${release('installed: true')}`,
      's.yaml': 'k: v\n',
    },
    says: /secrets is decrypted by a plugin of helm; permit it with `allow: \[secrets\]`/,
  }),
  '42 bases from elsewhere': () => ({
    files: {
      'helmfile.yaml': `bases: ["git::https://example.invalid/x.git@base.yaml"]\n`,
    },
    says: /a remote source is fetched from elsewhere; permit it with `allow: \[remote\]`/,
  }),
};

describe('a hostile repository is refused by name, runs nothing and brings nothing out', () => {
  test.each(Object.keys(HOSTILE))('%s', async (name) => {
    const { files, says } = HOSTILE[name]?.() ?? { files: {}, says: /./ };
    const before = await readdir(folder);
    const error = await declare(files).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SlipwayError);
    expect(error).toMatchObject({ code: 'repository-refused' });
    expect((error as SlipwayError).message).toMatch(says);
    expect((error as SlipwayError).message).not.toContain(CANARY);
    expect(new Set(await readdir(folder))).toEqual(new Set([...before, 'attempts', 'helm']));
    expect(await readdir(join(folder, 'attempts'))).toEqual([]);
  });
});

describe('with its `allow`', () => {
  test('a template may read a file', async () => {
    const files = {
      'helmfile.yaml.gotmpl': release('labels: {x: {{ readFile "label.txt" }}}'),
      'label.txt': 'from-a-file',
    };
    const [service] = await declare(files, ['readFile']);
    expect(JSON.stringify(service)).toContain('from-a-file');
  });

  test('hooks run', async () => {
    const command = `hooks: [{events: [prepare], command: /bin/touch, args: [${mark()}]}]`;
    await declare({ 'helmfile.yaml': `${command}\n${release('installed: true')}` }, ['hooks']);
    expect(await readdir(folder)).toContain('ran');
    await rm(mark());
  });
});

test('a repository with nothing to refuse passes, its references too where they are permitted', async () => {
  const plain = { 'helmfile.yaml': release('values: [v.yaml]'), 'v.yaml': 'k: 1\n' };
  expect((await declare(plain)).map(({ name }) => name)).toEqual(['api']);
  const referring = { ...plain, 'v.yaml': 'k: ref+echo://hello/world\n' };
  await expect(declare(referring)).rejects.toThrow('permit it with `allow: [ref+echo]`');
  expect((await declare(referring, ['ref+echo'])).map(({ name }) => name)).toEqual(['api']);
});

/** Reads a repository as a plan and an apply do. */
async function declare(files: Readonly<Record<string, string>>, allow: readonly string[] = []) {
  const place = { dataDir: folder, cluster: 'c', namespace: 'cs-dev', name: 'a', tools, allow };
  return withWorkspace(place, async (workspace) => {
    for (const [path, text] of Object.entries({ ...CHART, ...files })) {
      await mkdir(dirname(join(workspace.tree, path)), { recursive: true });
      await writeFile(join(workspace.tree, path), text, { mode: 0o755 });
    }
    return new Helmfile({
      evaluations: new Evaluations(),
      ...{ workspace, environment: 'default', namespace: 'cs-dev', kubeContext: 'slipway' },
      ...{ variables: { CANARY }, attempt: 'dep_1/1', redactor: createGrowingRedactor([]) },
    }).declared();
  });
}
