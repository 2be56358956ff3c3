import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configText } from '../../../src/adapters/deployment-repository/config-text.ts';
import { validConfig } from '../../config/example.ts';

const FACTS = {
  ...{ repository: 'notprod', url: 'https://git.example.org/a.git', branch: 'main' },
  source: 'a test',
};

const environment = (name: string) => ({
  ...{ name, namespace: name, cluster: 'notprod', token: 'KUBE_TOKEN', after: [], restart: [] },
  variables: new Map<string, { text: string } | { env: string }>(),
  versionKeys: new Map<string, string>(),
});

test('a proposed configuration is valid, and holds what was read', () => {
  const text = configText({
    ...FACTS,
    environments: [
      { ...environment('cs-qa'), server: 'https://kube.example.org' },
      {
        ...environment('wcs-qa'),
        ...{ namespace: 'other', after: ['cs-qa'], restart: ['deployment/web'] },
        versionKeys: new Map([['extracts', 'audit']]),
        variables: new Map([['IPS', { env: 'ALLOWED_IPS' }]]),
      },
    ],
  });
  const { clusters, repositories } = validConfig(text);
  expect(clusters.get('notprod')?.access).toMatchObject({ server: 'https://kube.example.org' });
  expect(repositories.get('notprod')?.environments.get('wcs-qa')).toMatchObject({
    ...{ namespace: 'other', after: ['cs-qa'], restart: ['deployment/web'] },
    versionKeys: new Map([['extracts', 'audit']]),
    variables: new Map([['IPS', expect.objectContaining({ source: { env: 'ALLOWED_IPS' } })]]),
  });
});

test('whatever text a variable has, it keeps it', () => {
  const odd = fc.constantFrom(
    '3.10',
    'true',
    '~',
    '',
    ' x ',
    'a: b # c',
    "'",
    '"',
    '*a',
    'é\n\tb\r\n',
    '{{ x }}',
  );
  fc.assert(
    fc.property(fc.oneof(odd, fc.string()), (value) => {
      const variables = new Map([['X', { text: value }]]);
      const text = configText({ ...FACTS, environments: [{ ...environment('qa'), variables }] });
      const found = validConfig(text).repositories.get('notprod')?.environments.get('qa');
      expect(found?.variables.get('X')).toBe(value);
    }),
    { numRuns: 50 },
  );
});
