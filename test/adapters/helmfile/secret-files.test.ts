import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cutBuild } from '../../../src/adapters/helmfile/build-output.ts';
import { InputFiles } from '../../../src/adapters/helmfile/input-files.ts';
import { secretFiles, secretValues } from '../../../src/adapters/helmfile/secret-files.ts';
import { writeFiles } from '../../support/write-files.ts';

test('the files that are decrypted are those of the environment and of its services, each once', async () => {
  const tree = await mkdtemp(join(tmpdir(), 'slipway-secrets-'));
  onTestFinished(() => rm(tree, { recursive: true }));
  const there = ['sub/env.yaml', 'sub/web.yaml', 'sub/more/a.yaml', 'sub/more/b.yaml'];
  await writeFiles(
    tree,
    [...there, 'sub/prod.yaml'].map((path) => [path, 'k: v\n'] as const),
  );
  const documents = cutBuild(`---
#  Source: /sub/helmfile.yaml
environments:
  cs-dev:
    secrets: [env.yaml]
  cs-prod:
    secrets: [prod.yaml]
releases:
  - name: web
    chart: ./c
    secrets:
    - web.yaml
    - missing.yaml
    - inline: map
  - name: api
    chart: ./c
    valuesPathPrefix: more/
    secrets:
    - '*.yaml'
    - ../web.yaml
`);
  expect(await secretFiles(documents, 'cs-dev', new InputFiles(tree))).toEqual([
    ...['sub/env.yaml', 'sub/web.yaml', 'sub/more/a.yaml', 'sub/more/b.yaml'],
  ]);
  expect(await secretFiles(documents, 'cs-other', new InputFiles(tree))).not.toContain(
    'sub/env.yaml',
  );
});

test('what is hidden of a decrypted file are its values, also in lists, of eight characters and more', () => {
  const text =
    'database: { password: long-enough, user: short }\nkeys: [first-of-keys, 1234567890]\n';
  expect(secretValues(`${text}on: true\n---\nother: |\n  two lines\n  of text\n`)).toEqual([
    ...['long-enough', 'first-of-keys', '1234567890', 'two lines\nof text\n'],
  ]);
  expect(secretValues('')).toEqual([]);
});
