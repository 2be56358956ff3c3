import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { run } from '../../src/adapters/process/run.ts';

const TEMPLATES = join(import.meta.dirname, '../../templates/pull-request-check');
const CLI = join(import.meta.dirname, '../../src/main/cli.ts');

test.each(['github-actions.yml', 'drone.yml'])('%s calls commands and options that exist', async (name) => {
  const documents = parseAllDocuments(await readFile(join(TEMPLATES, name), 'utf8'), { merge: true });
  const errors = 'empty' in documents ? [] : documents.flatMap(({ errors: own }) => own);
  expect(errors).toEqual([]);
  const values: unknown[] = 'empty' in documents ? [] : documents.map((each) => each.toJS() as unknown);
  const commands = textsIn(values).filter((text) => text.startsWith('slipway '));
  const names = commands.map((command) => command.split(' ')[1]);
  expect([...new Set(names)]).toEqual(['doctor', 'plan']);
  for (const command of new Set(commands)) {
    const [, verb = '', ...args] = command.split(' ');
    const { stdout, exitCode } = await run(process.execPath, [CLI, verb, '--help'], {
      env: { PATH: process.env.PATH ?? '' },
    });
    expect(exitCode).toBe(0);
    for (const option of args.filter((arg) => arg.startsWith('--'))) {
      expect(stdout).toContain(` ${option} `);
    }
  }
});

/** Every text in a value, however deep. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
