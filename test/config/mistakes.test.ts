import { describe, expect, test } from 'vitest';
import { EXAMPLE, exampleWith, problemsOf } from './example.ts';

const NOTPROD = 'repositories.notprod';
const POLL = 'off, or a duration from 10s to 99h such as 60s';
const CS_QA = `${NOTPROD}.environments.cs-qa`;
const CS_PROD = 'repositories.prod.environments.cs-prod';
const WCS_QA = `${NOTPROD}.environments.wcs-qa`;
const SECRET_FIX = 'use { env: NAME } or { file: path }';
const DURATION = 'such as 500ms, 30s, 10m or 2h';
const NAME =
  'at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends';
const GIT_URL = 'https://github.com/example/deployments-notprod.git';
const KUBE_URL = 'https://kube-api.notprod.example.org';
const MAIN_URL = 'url: https://slipway.example.org';

describe('a mistake is named with its place and what to do', () => {
  test.each<[from: string, to: string, ...problems: string[]]>([
    // Keys.
    ['version: 1', 'version: 2', '1:10 version must be 1'],
    ['version: 1', 'version: "1"', '1:10 version must be 1'],
    ['version: 1\n', '\n', '2:1 version is missing; add it'],
    [
      'dataDir:',
      'dataDirs:',
      '1:1 dataDir is missing; add it',
      '5:1 unknown key "dataDirs", did you mean "dataDir"?',
    ],
    ['listen:', 'lisen:', '2:45 unknown key "lisen", did you mean "listen"?'],
    [
      '  branch: main',
      '  aprovals: 2',
      '16:5 unknown key "aprovals"; known here: url, branch, forge, poll, mode, environments, versionSources',
    ],
    [
      '        tier: prod',
      '        approval: { count: 0, from: [], expires: 200h }',
      `31:28 ${CS_PROD}.approval.count must be a whole number from 1 to 20`,
      `31:37 ${CS_PROD}.approval.from needs at least one entry`,
      `31:50 ${CS_PROD}.approval.expires must be at most 168h`,
    ],
    [
      '        tier: prod',
      '        freeze: [{ cron: "0 17 * *", until: "0 99 * * 1", timezone: Europe/Londn, reason: x }]',
      `31:26 ${CS_PROD}.freeze[0].cron must have five fields: minute, hour, day of month, month, day of week`,
      `31:45 ${CS_PROD}.freeze[0].until is no cron line: Invalid value for hour: 99`,
      `31:69 ${CS_PROD}.freeze[0].timezone names no time zone: "Europe/Londn"`,
    ],
    [
      '        tier: prod',
      '        freeze: [{ cron: "0 0 30 2 *", until: "0 9 * * 1", timezone: UTC }]',
      `31:18 ${CS_PROD}.freeze[0].reason is missing; add it`,
      `31:26 ${CS_PROD}.freeze[0].cron names a time that never comes`,
    ],
    [
      '  branch: main',
      '  versionSources: { a: { git: ftp://x/y }, b: { image: search }, c: {} }',
      '16:33 repositories.notprod.versionSources.a.git must be an https URL, an ssh URL or user@host:path',
      '16:58 repositories.notprod.versionSources.b.image must be an image with its registry and without a tag, such as registry.example.org/audit',
      '16:71 repositories.notprod.versionSources.c needs at least one entry',
    ],
    [
      '        tier: prod',
      '        mode: watch',
      `31:15 ${CS_PROD}.mode must be deploy or observe`,
    ],
    [
      '        tier: prod',
      '        allow: [hooks, ref+exec, ref+vault, hooks]',
      `31:24 ${CS_PROD}.allow[1] must be one of hooks, secrets, readFile, exec, remote, args, postRenderer, transformers, strategicMergePatches, jsonPatches, kubedog, unverified, skipTLS, llm, or ref+ and a provider of vals that runs no commands`,
      `31:45 ${CS_PROD}.allow lists this twice; remove it`,
    ],
    [
      '        tier: prod',
      '        restart: [deployment/x, job/y]',
      `31:33 ${CS_PROD}.restart[1] must be deployment, statefulset or daemonset, a slash and a name`,
    ],
    [
      '    branch: main',
      '    serverSideApply: true',
      '16:5 "serverSideApply" is not supported yet: remove it',
    ],
    [
      'address: temporal:7233',
      'profile: x',
      '4:1 temporal.address is missing; add it',
      '4:13 "profile" is not supported yet: remove it',
    ],
    [
      '        tier: prod',
      '        <<: {}',
      '31:9 merge keys (<<) are not supported; write the keys out',
    ],
    [
      '        cluster: prod\n',
      '',
      '29:7 repositories.prod.environments.cs-prod.cluster is missing; add it',
    ],

    // Values of the wrong kind.
    ['dataDir: /var/lib/slipway', 'dataDir: data', '5:10 dataDir must be an absolute path'],
    ['dataDir: /var/lib/slipway', 'dataDir:', '5:1 dataDir is empty; it must be an absolute path'],
    ['address: temporal:7233', 'address: temporal', '4:22 temporal.address must be host:port'],
    [
      'address: temporal:7233',
      'address: temporal:72333',
      '4:22 temporal.address has a port above 65535',
    ],
    ['listen: 0.0.0.0:8080', 'listen: 8080', '2:53 server.listen must be host:port'],
    ['namespace: slipway', 'namespace: 1', '4:48 temporal.namespace is a number; put it in quotes'],
    [
      'tier: prod',
      'tier: production',
      '31:15 repositories.prod.environments.cs-prod.tier must be notprod or prod',
    ],
    [
      'RDS_CIDR: 10.1.0.0/16',
      'PORT: 8080',
      `22:63 ${CS_QA}.variables.PORT is a number; put it in quotes`,
    ],
    [
      'RDS_CIDR: 10.1.0.0/16',
      'DEBUG: true',
      `22:64 ${CS_QA}.variables.DEBUG is a boolean; put it in quotes`,
    ],
    [
      '    url: git@github.com:example/deployments-prod.git',
      '    url: [a]',
      '26:10 repositories.prod.url must be a git URL',
    ],
    [
      'clusters:\n',
      'clusters: []\nx:\n',
      '6:11 clusters must be a map',
      '7:1 unknown key "x"; known here: version, server, database, temporal, dataDir, clusters, repositories',
      '21:18 repositories.notprod.environments.cs-qa.cluster: there is no cluster "notprod"; none is there',
      '25:26 repositories.notprod.environments.wcs-qa.cluster: there is no cluster "notprod"; none is there',
      '31:18 repositories.prod.environments.cs-prod.cluster: there is no cluster "prod"; none is there',
    ],
    [
      'attempts: 5',
      'attempts: 11',
      '32:28 repositories.prod.environments.cs-prod.retry.attempts must be a whole number from 1 to 10',
    ],
    [
      'attempts: 5',
      'attempts: 1.5',
      '32:28 repositories.prod.environments.cs-prod.retry.attempts must be a whole number from 1 to 10',
    ],
    [
      'backoff: 500ms',
      'backoff: 1h30m',
      `32:40 repositories.prod.environments.cs-prod.retry.backoff must be a duration ${DURATION}`,
    ],
    [
      'soak: 0s',
      'soak: 30',
      `33:40 repositories.prod.environments.cs-prod.rollout.soak must be a duration ${DURATION}`,
    ],
    [
      'timeout: 15m',
      'timeout: 0m',
      `33:29 repositories.prod.environments.cs-prod.rollout.timeout must be a duration above zero ${DURATION}`,
    ],
    [
      'timeout: 15m',
      'timeout: 169h',
      '33:29 repositories.prod.environments.cs-prod.rollout.timeout must be at most 168h',
    ],
    [
      '    branch: main',
      '    branch: -main',
      `16:13 ${NOTPROD}.branch must be the name of a branch`,
    ],
    ['    branch: main', '    poll: 5s', `16:11 ${NOTPROD}.poll must be ${POLL}`],
    ['    branch: main', '    poll: 100h', `16:11 ${NOTPROD}.poll must be ${POLL}`],
    ['    branch: main', '    branch: a b', `16:13 ${NOTPROD}.branch must be the name of a branch`],

    // Names.
    [
      '  prod:\n    kube',
      '  Prod:\n    kube',
      `11:3 "Prod" must be ${NAME}`,
      '30:18 repositories.prod.environments.cs-prod.cluster: there is no cluster "prod", did you mean "Prod"?',
    ],
    ['  prod:\n    url', '  "a b":\n    url', `25:3 "a b" must be ${NAME}`],
    ['      cs-prod:', '      cs_prod:', `29:7 "cs_prod" must be ${NAME}`],
    [
      '        tier: prod',
      '        namespace: -x',
      `31:20 repositories.prod.environments.cs-prod.namespace must be ${NAME}`,
    ],
    [
      '        cluster: notprod',
      '        cluster: notprd',
      `20:18 ${CS_QA}.cluster: there is no cluster "notprd", did you mean "notprod"?`,
    ],
    [
      '        cluster: notprod',
      '        cluster: elsewhere',
      `20:18 ${CS_QA}.cluster: there is no cluster "elsewhere"; known: notprod, prod`,
    ],
    [
      'RDS_CIDR',
      '1ST',
      '22:57 "1ST" must be letters, digits and underscores, not starting with a digit',
    ],
    ...[
      'PATH',
      'HOME',
      'TMPDIR',
      'LANG',
      'TZ',
      'NO_COLOR',
      'HELM_X',
      'HELMFILE_X',
      'KUBECONFIG',
      'SLIPWAY_X',
      'GIT_X',
      'LD_PRELOAD',
      'NODE_OPTIONS',
    ].map((name): [string, string, string] => [
      'RDS_CIDR',
      name,
      `22:57 the variable "${name}" is Slipway’s own; choose another name`,
    ]),

    // URLs; never repeated, because they may hold a password.
    [
      MAIN_URL,
      'url: http://slipway.example.org',
      '2:16 server.url must be https; http is for loopback only',
    ],
    [MAIN_URL, 'url: slipway.example.org', '2:16 server.url must be an https URL'],
    [MAIN_URL, 'url: https://slipway.example.org?x', '2:16 server.url must not have a ? or # part'],
    [
      KUBE_URL,
      'http://kube-api',
      '8:13 clusters.notprod.server must be https; http is for loopback only',
    ],
    [
      KUBE_URL,
      'https://admin:hunter2@kube-api',
      '8:13 clusters.notprod.server has credentials in it; give them as a token of its own',
    ],
    [
      GIT_URL,
      'https://ghp_hunter2@github.com/x.git',
      `15:10 ${NOTPROD}.url has credentials in it; give them as a token of its own`,
    ],
    [
      GIT_URL,
      'https://github.com/x.git?token=hunter2',
      `15:10 ${NOTPROD}.url must not have a ? or # part`,
    ],
    [
      GIT_URL,
      'ssh://git:hunter2@github.com/x.git',
      `15:10 ${NOTPROD}.url has a password in it; use an ssh key`,
    ],
    [
      GIT_URL,
      'http://github.com/x.git',
      `15:10 ${NOTPROD}.url must be https; http is for loopback only`,
    ],
    [
      GIT_URL,
      'http://127.0.0.1.example.org/x.git',
      `15:10 ${NOTPROD}.url must be https; http is for loopback only`,
    ],
    ...[
      'file:///srv/x.git',
      'ext::sh -c id',
      '/srv/x.git',
      '--upload-pack=id',
      'git@-oProxyCommand=id:x',
      'ssh://-oProxyCommand=id/x',
      'git@github.com:-x',
      '"https://github.com/\\nx.git"',
    ].map((url): [string, string, string] => [
      GIT_URL,
      url,
      `15:10 ${NOTPROD}.url must be an https URL, an ssh URL or user@host:path`,
    ]),

    // Clusters.
    [
      `    server: ${KUBE_URL}\n`,
      '',
      '7:3 clusters.notprod has neither server nor kubeconfig; add one of them',
    ],
    [
      '    kubeconfig: {',
      '    token: { env: X }\n    kubeconfig: {',
      '11:5 clusters.prod.token cannot stand beside kubeconfig; remove one of them'.replace(
        '11:5',
        '12:5',
      ),
    ],
    [', context: prod }', ' }', '12:5 clusters.prod.kubeconfig.context is missing; add it'],
    [
      '    token: { env: KUBE_TOKEN_NOTPROD }\n',
      '',
      `23:7 ${WCS_QA} has no token, and neither has clusters.notprod; add one of them`,
    ],

    // Secrets: a value that was put here by mistake is never shown.
    [
      'url: { env: DATABASE_URL }',
      'url: postgres://u:hunter2@db/x',
      `3:18 database.url is a plain value; ${SECRET_FIX}`,
    ],
    [
      'webhookSecret: { env: WEBHOOK_SECRET }',
      'webhookSecret: hunter2',
      `17:43 ${NOTPROD}.forge.webhookSecret is a plain value; ${SECRET_FIX}`,
    ],
    [
      '{ env: OLD_SECRET }',
      'hunter2',
      `27:44 repositories.prod.forge.webhookSecret[0] is a plain value; ${SECRET_FIX}`,
    ],
    [
      '{ env: OLD_SECRET },',
      '{ env: OLD_SECRET }, { env: ODD_SECRET },',
      '27:43 repositories.prod.forge.webhookSecret has more than 2 entries',
    ],
    [
      '[{ env: OLD_SECRET }, { env: NEW_SECRET }]',
      '[]',
      '27:43 repositories.prod.forge.webhookSecret needs at least one entry',
    ],
    [
      '{ env: GITHUB_TOKEN }',
      '{ hunter2 }',
      `17:75 ${NOTPROD}.forge.token is not a secret; ${SECRET_FIX}`,
    ],
    ['{ env: GITHUB_TOKEN }', '{}', `17:75 ${NOTPROD}.forge.token is not a secret; ${SECRET_FIX}`],
    [
      '{ env: GITHUB_TOKEN }',
      '{ env: A, file: /b }',
      `17:75 ${NOTPROD}.forge.token is not a secret; ${SECRET_FIX}`,
    ],
    [
      '{ env: GITHUB_TOKEN }',
      '{ env: not a name }',
      `17:82 ${NOTPROD}.forge.token.env must be the name of an environment variable`,
    ],
    [
      '{ env: GITHUB_TOKEN }',
      '{ file: token }',
      `17:83 ${NOTPROD}.forge.token.file must be an absolute path`,
    ],
    [
      '{ env: ALLOWED_IPS }',
      '{ value: hunter2 }',
      `22:35 ${CS_QA}.variables.ALLOWED_IPS is not a secret; ${SECRET_FIX}`,
    ],

    // Order and namespaces.
    [
      'after: [cs-qa]',
      'after: [cs-q]',
      `24:43 ${WCS_QA}.after[0]: there is no environment of this repository "cs-q", did you mean "cs-qa"?`,
    ],
    [
      'after: [cs-qa]',
      'after: [cs-prod]',
      `24:43 ${WCS_QA}.after[0]: there is no environment of this repository "cs-prod", did you mean "prod/cs-prod"?`,
    ],
    [
      'after: [cs-qa]',
      'after: [elsewhere]',
      `24:43 ${WCS_QA}.after[0]: there is no environment of this repository "elsewhere"; known: cs-qa, wcs-qa`,
    ],
    [
      'notprod/cs-qa',
      'notprd/cs-qa',
      `34:32 ${CS_PROD}.after[0].environment: there is no repository "notprd", did you mean "notprod"?`,
    ],
    [
      'notprod/cs-qa',
      'notprod/cs-q',
      `34:32 ${CS_PROD}.after[0].environment: there is no environment of notprod "cs-q", did you mean "cs-qa"?`,
    ],
    [
      'notprod/cs-qa',
      'notprod/cs-qa/x',
      `34:32 ${CS_PROD}.after[0].environment must be an environment, or repository/environment`,
    ],
    [
      'after: [{ environment: notprod/cs-qa, soak: 2h }]',
      'after: [notprod]',
      `34:17 ${CS_PROD}.after[0]: there is no environment of this repository "notprod", did you mean "cs-prod"?`,
    ],
    [
      'after: [cs-qa]',
      'after: [cs-qa, notprod/cs-qa]',
      `24:50 ${WCS_QA}.after lists "notprod/cs-qa" twice; remove one of them`,
    ],
    [
      'after: [cs-qa]',
      'after: [{ soak: 2h }, 7]',
      `24:43 ${WCS_QA}.after[0].environment is missing; add it`,
      `24:57 ${WCS_QA}.after[1] is a number; put it in quotes`,
    ],
    [
      'soak: 2h',
      'soak: 0h',
      `34:53 ${CS_PROD}.after[0].soak must be a duration above zero ${DURATION}`,
    ],
    ['soak: 2h', 'soak: 200h', `34:53 ${CS_PROD}.after[0].soak must be at most 168h`],
    ['soak: 2h', 'sok: 2h', `34:47 unknown key "sok", did you mean "soak"?`],
    [
      '        cluster: notprod',
      '        cluster: notprod\n        after: [prod/cs-prod]',
      `35:32 ${CS_PROD}.after[0].environment closes a cycle: notprod/cs-qa -> prod/cs-prod -> notprod/cs-qa; remove one of these`,
    ],
    [
      'after: [cs-qa]',
      'after: [cs-qa, cs-qa]',
      `24:50 ${WCS_QA}.after lists this twice; remove it`,
    ],
    [
      'after: [cs-qa]',
      'after: [wcs-qa]',
      `24:43 ${WCS_QA}.after[0] closes a cycle: wcs-qa -> wcs-qa; remove one of these`,
    ],
    [
      '        cluster: notprod',
      '        cluster: notprod\n        after: [wcs-qa]',
      `25:43 ${WCS_QA}.after[0] closes a cycle: cs-qa -> wcs-qa -> cs-qa; remove one of these`,
    ],
    [
      'after: [cs-qa]',
      'namespace: cs-qa',
      `24:46 namespace "cs-qa" of cluster "notprod" is taken by ${CS_QA} at slipway.yaml:19:7; one namespace belongs to one environment`,
    ],
    [
      '        cluster: prod\n',
      '        cluster: notprod\n        namespace: cs-qa\n',
      `31:20 namespace "cs-qa" of cluster "notprod" is taken by ${CS_QA} at slipway.yaml:19:7; one namespace belongs to one environment`,
    ],
    [
      '    environments:\n      cs-prod:\n',
      '    environments: {}\nx:\n  y:\n    z:\n',
      '28:19 repositories.prod.environments needs at least one entry',
      '29:1 unknown key "x"; known here: version, server, database, temporal, dataDir, clusters, repositories',
    ],

    // YAML itself.
    ['version: 1', 'version: 1\nversion: 1', '2:1 duplicate key "version"; keep one of them'],
    ['    branch: main', '\tbranch: main', '16:1 a tab indents this line; use spaces'],
    [
      'repositories:',
      '---\nrepositories:',
      '13:1 a second YAML document starts here; keep one document in the file',
    ],
    ['dataDir: /var', 'dataDir: !!binary /var', '5:10 YAML tags are not supported; remove the tag'],
    ['dataDir: /var', 'dataDir: *x', '5:10 no anchor "x/lib/slipway" stands before this alias'],
    ['after: [cs-qa]', 'after: &a [*a]', '24:46 the alias "a" contains itself'],
    [
      'dataDir: /var',
      'dataDir: @var',
      '5:10 plain text cannot start with @ or `; put it in quotes',
    ],
    [
      'dataDir: /var',
      'dataDir: a: b',
      '5:10 a map cannot start here; start a new line, or put text with ": " in quotes',
    ],
    ['dataDir: /var', '? [a]\n: b\ndataDir: /var', '5:3 a key must be plain text'],
  ])('%j becomes %j', (from, to, ...problems) => {
    const found = problemsOf(exampleWith([from, to]));
    expect(found).toEqual(problems.map((problem) => `slipway.yaml:${problem}`));
    expect(found.join()).not.toContain('hunter2');
  });

  test('a namespace of one API server belongs to one environment, also under two cluster names', () => {
    const text = exampleWith(
      [
        '    kubeconfig: { file: /etc/slipway/prod.kubeconfig, context: prod }',
        `    server: ${KUBE_URL}/\n    token: { env: X }`,
      ],
      ['        tier: prod', '        namespace: cs-qa'],
    );
    expect(problemsOf(text)).toEqual([
      `slipway.yaml:32:20 namespace "cs-qa" of cluster "prod", which is cluster "notprod" too, is taken by ${CS_QA} at slipway.yaml:20:7; one namespace belongs to one environment`,
    ]);
  });

  test('an empty file, and one of comments, say how to start', () => {
    const problem = 'slipway.yaml:1:1 the file is empty; start with version: 1';
    expect([...problemsOf(''), ...problemsOf('# nothing\n')]).toEqual([problem, problem]);
    expect(problemsOf('just text')).toEqual(['slipway.yaml:1:1 the file must be a map']);
  });

  test('all mistakes are told at once, from top to bottom, at most fifty', () => {
    const found = problemsOf(
      exampleWith(
        ['version: 1', 'version: 3'],
        ['tier: prod', 'tier: x'],
        ['after: [cs-qa]', 'after: [x]'],
      ),
    );
    expect(found.map((problem) => problem.split(' ')[0])).toEqual([
      'slipway.yaml:1:10',
      'slipway.yaml:24:43',
      'slipway.yaml:31:15',
    ]);
    const keys = Array.from({ length: 80 }, (_, index) => `unknown${index}: 1\n`).join('');
    expect(problemsOf(EXAMPLE + keys)).toHaveLength(50);
  });

  test('a name from the file cannot write to the terminal', () => {
    const found = problemsOf(`${EXAMPLE}"\\e[2Jx${'y'.repeat(200)}": 1\n`);
    expect(found[0]).toMatch(/^slipway\.yaml:35:1 unknown key "\\u001b\[2Jxy{73,}…"/);
  });

  test('YAML that is broken does not repeat its text', () => {
    for (const text of [
      'a: [hunter2',
      'a: {b: "x"hunter2}',
      'a: |hunter2\n b',
      'a: "\\hunter2"',
      '}hunter2',
      'a: ]hunter2',
    ]) {
      const found = problemsOf(text);
      expect(found).not.toEqual([]);
      expect(found.join()).not.toContain('hunter2');
    }
  });
});
