import { defineSearchAttributeKey } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureSearchAttributes } from '../../src/adapters/temporal/namespace.ts';
import { SEARCH_ATTRIBUTES } from '../../src/contract/workflow/search-attributes.ts';
import { startDevServer } from '../support/temporal.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startDevServer({
    attributes: [defineSearchAttributeKey(SEARCH_ATTRIBUTES.repository, 'KEYWORD')],
  });
});
afterAll(() => environment.teardown());

test('the search attributes that a namespace lacks are registered, once', async () => {
  const options = { address: environment.address, namespace: environment.namespace ?? 'default' };
  const added = await ensureSearchAttributes(options);
  expect(added.sort()).toEqual(
    Object.values(SEARCH_ATTRIBUTES)
      .filter((name) => name !== SEARCH_ATTRIBUTES.repository)
      .sort(),
  );
  expect(await ensureSearchAttributes(options)).toEqual([]);
});
