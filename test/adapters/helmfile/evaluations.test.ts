import { appendFile, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Evaluations } from '../../../src/adapters/helmfile/evaluations.ts';
import { Helmfile } from '../../../src/adapters/helmfile/helmfile.ts';
import { withWorkspace } from '../../../src/adapters/helmfile/workspace.ts';
import { createGrowingRedactor } from '../../../src/domain/redact/growing.ts';

/** A helmfile that notes when it is run, and prints the state of a repository without services. */
const STAND_IN = `#!/bin/sh
echo run >> "$RUNS"
printf -- '---\\n#  Source: %s/helmfile.yaml.gotmpl\\n\\nfilepath: helmfile.yaml.gotmpl\\nreleases: []\\n' "$PWD"
`;

let folder: string;
let evaluations: Evaluations;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-evaluations-'));
  evaluations = new Evaluations();
  await writeFile(join(folder, 'helmfile'), STAND_IN);
  await chmod(join(folder, 'helmfile'), 0o700);
});
afterEach(() => rm(folder, { recursive: true }));

const ALIKE = { 'helmfile.yaml.gotmpl': 'releases: {{ .Values.services | toYaml }}\n' };
const TIMED = { 'helmfile.yaml.gotmpl': 'releases: [] # {{ now }}\n' };

test('the apply does not evaluate again what the plan read from the same files', async () => {
  expect(await runsOf(ALIKE)).toBe(2);
  expect(await runsOf(ALIKE)).toBe(0);
});

test('another file is another input, whatever its name', async () => {
  await runsOf(ALIKE);
  expect(await runsOf({ ...ALIKE, 'README.md': 'new' })).toBe(2);
  expect(await runsOf({ ...ALIKE, 'READYOU.md': 'new' })).toBe(2);
});

test('another variable or environment is another input', async () => {
  await runsOf(ALIKE);
  expect(await runsOf(ALIKE, { variables: { COLOUR: 'red' } })).toBe(2);
  expect(await runsOf(ALIKE, { environment: 'other' })).toBe(2);
});

test('what may differ each time is evaluated each time', async () => {
  expect(await runsOf(TIMED)).toBe(2);
  expect(await runsOf(TIMED)).toBe(2);
  expect(await runsOf(ALIKE, { allow: ['exec'] })).toBe(2);
  expect(await runsOf(ALIKE, { allow: ['exec'] })).toBe(2);
});

test('only what may differ each time is read twice to find what does', async () => {
  const again = (helmfile: Helmfile) => helmfile.evaluatedAgain();
  expect(await runsOf(ALIKE, {}, again)).toBe(0);
  expect(await runsOf(TIMED, {}, again)).toBe(2);
});

/** How often helmfile is run for a commit with these files. */
async function runsOf(
  files: Readonly<Record<string, string>>,
  change: { environment?: string; variables?: Record<string, string>; allow?: string[] } = {},
  work: (helmfile: Helmfile) => Promise<unknown> = (helmfile) => helmfile.declared(),
): Promise<number> {
  const { environment = 'cs-dev', variables = {}, allow = [] } = change;
  const runs = join(folder, 'runs');
  await writeFile(runs, '');
  const tools = { helm: '/bin/false', helmfile: join(folder, 'helmfile') };
  const place = { dataDir: folder, cluster: 'c', namespace: 'n', name: 'a', tools, allow };
  await withWorkspace(place, async (workspace) => {
    for (const [path, text] of Object.entries(files)) {
      await appendFile(join(workspace.tree, path), text);
    }
    const running = { workspace, environment, namespace: 'n', kubeContext: 'k', attempt: 'd/1' };
    const others = {
      variables: { ...variables, RUNS: runs },
      redactor: createGrowingRedactor([]),
      evaluations,
    };
    await work(new Helmfile({ ...running, ...others }));
  });
  return (await readFile(runs, 'utf8')).split('\n').length - 1;
}
