import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { ConfigError } from '../../src/config/problems.ts';
import { EXAMPLE, exampleWith, problemsOf, validConfig } from './example.ts';

describe('a valid file', () => {
  test('observes where the repository says so, unless the environment says otherwise', () => {
    const config = validConfig(
      exampleWith(
        ['    branch: main', '    mode: observe'],
        ['{ cluster: notprod, after: [cs-qa] }', '{ cluster: notprod, mode: deploy }'],
      ),
    );
    const modes = [...config.repositories.values()].flatMap(({ environments }) =>
      [...environments.values()].map(({ name, mode }) => [name, mode]),
    );
    expect(modes).toEqual([
      ['cs-qa', 'observe'],
      ['wcs-qa', 'deploy'],
      ['cs-prod', 'deploy'],
    ]);
  });

  test('becomes a configuration in the words of the domain, with every default', () => {
    const config = validConfig(EXAMPLE);
    expect(config).toMatchObject({
      server: {
        url: 'https://slipway.example.org',
        listen: { host: '0.0.0.0', port: 8080 },
        inbox: { keepDays: 30 },
      },
      temporal: { address: 'temporal:7233', namespace: 'slipway' },
      dataDir: '/var/lib/slipway',
    });
    expect(config.clusters.get('notprod')).toEqual({
      name: 'notprod',
      access: {
        kind: 'server',
        server: 'https://kube-api.notprod.example.org',
        certificateAuthorityFile: '/etc/slipway/notprod-ca.pem',
      },
      token: {
        source: { env: 'KUBE_TOKEN_NOTPROD' },
        path: 'clusters.notprod.token',
        line: 10,
        column: 12,
      },
    });
    expect(config.clusters.get('prod')?.access).toEqual({
      kind: 'kubeconfig',
      file: '/etc/slipway/prod.kubeconfig',
      context: 'prod',
    });
    expect(config.repositories.get('notprod')?.environments.get('wcs-qa')).toEqual({
      name: 'wcs-qa',
      repository: 'notprod',
      cluster: 'notprod',
      namespace: 'wcs-qa',
      tier: 'notprod',
      mode: 'deploy',
      after: ['cs-qa'],
      waitsFor: [],
      variables: new Map(),
      versionKeys: new Map(),
      allow: [],
      freeze: [],
      retry: { attempts: 3, backoffMs: 30_000, limitMs: 600_000 },
      rollout: { timeoutMs: 600_000, soakMs: 30_000, restartsMax: 5 },
      onFailure: 'stop',
      restart: [],
      overtakeVerifying: false,
      chartRanges: 'hold',
      driftMs: 900_000,
      prune: false,
    });
    expect(config.repositories.get('prod')?.environments.get('cs-prod')).toMatchObject({
      tier: 'prod',
      retry: { attempts: 5, backoffMs: 500, limitMs: 7_200_000 },
      rollout: { timeoutMs: 900_000, soakMs: 0, restartsMax: 0 },
      after: [],
      waitsFor: [{ repository: 'notprod', environment: 'cs-qa', soakMs: 7_200_000 }],
    });
    expect(config.repositories.get('prod')?.forge?.webhookSecrets).toHaveLength(2);
  });

  test('an environment of the same repository may be named with it, and may have to soak', () => {
    const order = (after: string) => {
      const { repositories } = validConfig(exampleWith(['after: [cs-qa]', `after: [${after}]`]));
      const { after: names, waitsFor } = repositories
        .get('notprod')
        ?.environments.get('wcs-qa') ?? { after: [], waitsFor: [] };
      return { names, waitsFor };
    };
    expect(order('notprod/cs-qa')).toEqual({ names: ['cs-qa'], waitsFor: [] });
    expect(order('{ environment: cs-qa, soak: 30m }')).toEqual({
      names: ['cs-qa'],
      waitsFor: [{ repository: 'notprod', environment: 'cs-qa', soakMs: 1_800_000 }],
    });
  });

  test('permits what the isolation refuses, entry by entry', () => {
    const tier = '        tier: prod';
    const config = validConfig(exampleWith([tier, `${tier}\n        allow: [hooks, ref+vault]`]));
    expect(config.repositories.get('prod')?.environments.get('cs-prod')?.allow).toEqual([
      'hooks',
      'ref+vault',
    ]);
  });

  test('names what is restarted after an apply', () => {
    const tier = '        tier: prod';
    const restart = '        restart: [deployment/frontend, daemonset/agent]';
    const config = validConfig(exampleWith([tier, `${tier}\n${restart}`]));
    expect(config.repositories.get('prod')?.environments.get('cs-prod')?.restart).toEqual([
      'deployment/frontend',
      'daemonset/agent',
    ]);
  });

  test('may leave out what has a default, and forge where the branch is polled', () => {
    const config = validConfig(
      exampleWith(
        [', listen: 0.0.0.0:8080', ''],
        [', namespace: slipway }', ' }'],
        ['    branch: main\n', ''],
        [
          '    forge: { type: github, webhookSecret: { env: WEBHOOK_SECRET }, token: { env: GITHUB_TOKEN } }\n',
          '',
        ],
      ),
    );
    expect(config.server.listen).toEqual({ host: '127.0.0.1', port: 8080 });
    expect(config.temporal.namespace).toBe('slipway');
    expect(config.repositories.get('notprod')).toMatchObject({ branch: 'main', pollMs: 60_000 });
    expect(config.repositories.get('notprod')?.forge).toBeUndefined();
  });

  test.each([
    ['10s', 10_000],
    ['5m', 300_000],
    ['99h', 356_400_000],
    ['off', undefined],
  ])('polls a branch as it says: %s', (poll, pollMs) => {
    const config = validConfig(exampleWith(['    branch: main', `    poll: ${poll}`]));
    expect(config.repositories.get('notprod')?.pollMs).toBe(pollMs);
  });

  test.each([
    'https://git.example.org:8443/team/deployments.git',
    'ssh://git@git.example.org:2222/team/deployments.git',
    'git@git.example.org:team/deployments.git',
    'http://127.0.0.1:3000/deployments.git',
    'http://[::1]:3000/deployments.git',
    'http://localhost/deployments.git',
  ])('takes the repository URL %s', (url) => {
    const config = validConfig(
      exampleWith(['https://github.com/example/deployments-notprod.git', url]),
    );
    expect(config.repositories.get('notprod')?.url).toBe(url);
  });

  test('listens on an IPv6 address, which Node wants without brackets', () => {
    const config = validConfig(exampleWith(['listen: 0.0.0.0:8080', "listen: '[::1]:8080'"]));
    expect(config.server.listen).toEqual({ host: '::1', port: 8080 });
  });

  test('may use anchors, and names that objects would confuse with their own', () => {
    const config = validConfig(
      exampleWith(
        ['variables: {', 'variables: &shared {'],
        [
          'after: [cs-qa] }',
          'after: [cs-qa], variables: *shared }\n      constructor: { cluster: notprod }',
        ],
      ),
    );
    const environments = config.repositories.get('notprod')?.environments;
    expect(environments?.get('wcs-qa')?.variables.get('RDS_CIDR')).toBe('10.1.0.0/16');
    expect(environments?.get('constructor')?.namespace).toBe('constructor');
    expect(config.clusters.get('constructor')).toBeUndefined();
  });
});
describe('any text at all', () => {
  test('is answered, never thrown', () => {
    const pieces = [
      'version: 1',
      'a: ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '"',
      "'",
      '\n',
      '  ',
      '\t',
      '? ',
      '!!map ',
      '---\n',
      '%YAML 1.1\n',
      '|',
      '<<: ',
      'null',
      '__proto__: ',
    ];
    const yaml = fc
      .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 4 })))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string(), yaml), (text) => {
        expect(parseConfig(text, 'slipway.yaml').ok).toBe(false);
      }),
    );
  });

  test.each(['__proto__', 'constructor', 'toString'])('with the key %s is answered', (key) => {
    const parsed = parseConfig(`${EXAMPLE}\n${key}: 1\n`, 'slipway.yaml');
    expect(parsed.ok).toBe(false);
  });

  test('with any value in any place is answered, never thrown', () => {
    const paths = EXAMPLE.split('\n').flatMap((line, index) =>
      /: [^ ]/.test(line) ? [index] : [],
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.json(), (index, json) => {
        const lines = EXAMPLE.split('\n');
        lines[index] = (lines[index] ?? '').replace(/: .*$/, () => `: ${json}`);
        parseConfig(lines.join('\n'), 'slipway.yaml');
      }),
    );
  });

  test.each([
    ['nested without end', '['.repeat(50_000), 'is nested too deeply'],
    ['an alias bomb', bomb(), 'too many aliases; write them out'],
    ['too long', ' '.repeat(1024 * 1024 + 1), 'is longer than 1048576 characters'],
  ])('%s is refused', (_, text, message) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(message)]);
  });

  test('a long chain of environments exhausts nothing', () => {
    const chain = Array.from(
      { length: 5_000 },
      (_, i) => `      e${i}: { cluster: prod, after: [e${(i + 1) % 5_000}] }\n`,
    );
    const found = problemsOf(EXAMPLE + chain.join(''));
    expect(found).toEqual([expect.stringContaining('closes a cycle: e0 -> e1 -> e2')]);
  });
});

function bomb(): string {
  const lines = Array.from(
    { length: 12 },
    (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`,
  );
  return ['a0: &a0 [x]', ...lines].join('\n');
}
describe('loading', () => {
  test('throws one error that lists every problem with the path of the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-config-'));
    try {
      const file = join(folder, 'slipway.yaml');
      await writeFile(file, EXAMPLE);
      expect((await loadConfig(file)).file).toBe(file);
      await writeFile(file, exampleWith(['version: 1', 'version: 2'], ['tier: prod', 'tier: x']));
      await expect(loadConfig(file)).rejects.toThrow(
        new ConfigError([
          { file, line: 1, column: 10, path: 'version', message: 'version must be 1' },
          {
            file,
            line: 31,
            column: 15,
            path: 'repositories.prod.environments.cs-prod.tier',
            message: 'repositories.prod.environments.cs-prod.tier must be notprod or prod',
          },
        ]),
      );
      await expect(loadConfig(join(folder, 'none'))).rejects.toThrow(
        '1:1 the configuration cannot be read (ENOENT)',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
