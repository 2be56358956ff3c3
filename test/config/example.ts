import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { ConfigError, formatProblem } from '../../src/config/problems.ts';

/** The example of the design, reduced to what is supported; tests change single lines of it. */
export const EXAMPLE = `version: 1
server: { url: https://slipway.example.org, listen: 0.0.0.0:8080 }
database: { url: { env: DATABASE_URL } }
temporal: { address: temporal:7233, namespace: slipway }
dataDir: /var/lib/slipway
clusters:
  notprod:
    server: https://kube-api.notprod.example.org
    certificateAuthority: { file: /etc/slipway/notprod-ca.pem }
    token: { env: KUBE_TOKEN_NOTPROD }
  prod:
    kubeconfig: { file: /etc/slipway/prod.kubeconfig, context: prod }
repositories:
  notprod:
    url: https://github.com/example/deployments-notprod.git
    branch: main
    forge: { type: github, webhookSecret: { env: WEBHOOK_SECRET }, token: { env: GITHUB_TOKEN } }
    environments:
      cs-qa:
        cluster: notprod
        token: { env: KUBE_TOKEN_CS_QA }
        variables: { ALLOWED_IPS: { env: ALLOWED_IPS }, RDS_CIDR: 10.1.0.0/16 }
        versionKeys: { hocs-extracts: hocs-audit }
      wcs-qa: { cluster: notprod, after: [cs-qa] }
  prod:
    url: git@github.com:example/deployments-prod.git
    forge: { type: github, webhookSecret: [{ env: OLD_SECRET }, { env: NEW_SECRET }] }
    environments:
      cs-prod:
        cluster: prod
        tier: prod
        retry: { attempts: 5, backoff: 500ms, limit: 2h }
        rollout: { timeout: 15m, soak: 0s, restarts: 0 }
        after: [{ environment: notprod/cs-qa, soak: 2h }]
`;

export type Change = readonly [from: string, to: string];

/** The example with each given text, which must occur once, replaced. */
export function exampleWith(...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2) throw new Error(`not exactly once in the example: ${from}`);
    return text.replace(from, () => to);
  }, EXAMPLE);
}

export function validConfig(text: string): Config {
  const parsed = parseConfig(text, 'slipway.yaml');
  if (!parsed.ok) throw new ConfigError(parsed.problems);
  return parsed.config;
}

/** The problems of a text as people see them. */
export function problemsOf(text: string): string[] {
  const parsed = parseConfig(text, 'slipway.yaml');
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}
