import { expect, test } from 'vitest';
import { checkVariables } from '../../src/main/check-variables.ts';
import { EXAMPLE, validConfig } from '../config/example.ts';

const VARIABLES = 'variables: { ALLOWED_IPS: { env: ALLOWED_IPS }, RDS_CIDR: 10.1.0.0/16 }';

function environmentWith(variables: string) {
  const config = validConfig(EXAMPLE.replace(VARIABLES, `variables: ${variables}`));
  return config.repositories.get('notprod')?.environments.get('cs-qa');
}

test('secrets come from this process, and something else stands for those that it has not', async () => {
  const environment = environmentWith(
    '{ PLAIN: text, IPS: { env: SECRET_IPS }, CHART_URL: { env: SECRET_URL }, KEY: { file: /nowhere } }',
  );
  const templates = ['{{ env "OTHER" }}'];
  const own = { SECRET_IPS: '192.0.2.0/24', OTHER: 'nobody asked' };
  expect(await checkVariables(environment, templates, own)).toEqual({
    values: {
      PLAIN: 'text',
      IPS: '192.0.2.0/24',
      CHART_URL: 'https://placeholder.invalid',
      KEY: 'placeholder',
    },
    secrets: ['192.0.2.0/24'],
    missing: ['SECRET_URL', '/nowhere'],
  });
});

test('without a configuration templates see what they name, and no more', async () => {
  const templates = ['{{ requiredEnv "URL" }}{{ env "SHORT" }}{{ env "ABSENT" }}'];
  const own = { URL: 'https://charts.example.org', SHORT: '2', TOKEN: 'not for templates' };
  expect(await checkVariables(undefined, templates, own)).toEqual({
    values: { URL: 'https://charts.example.org', SHORT: '2' },
    secrets: ['https://charts.example.org'],
    missing: [],
  });
});
