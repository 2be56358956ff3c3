import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { publishedSchema } from '../../src/config/schema.ts';
import { problemsOf } from './example.ts';

test('the JSON Schema is up to date; `node tools/generate-schema.ts` writes it', async () => {
  const file = new URL('../../schema/slipway.schema.json', import.meta.url);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(publishedSchema)),
  );
});

test('the JSON Schema uses the vocabulary of draft-07 only', () => {
  const newer =
    /"(\$defs|dependentRequired|dependentSchemas|unevaluated\w+|prefixItems|minContains|maxContains|\$anchor|\$dynamicRef|~\w+)":/;
  expect(JSON.stringify(publishedSchema)).not.toMatch(newer);
});

test('the example of the documentation is valid', async () => {
  const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const example = /```yaml\n(version: 1\n[^]*?)```/.exec(page)?.[1];
  expect(problemsOf(example ?? '')).toEqual([]);
});
