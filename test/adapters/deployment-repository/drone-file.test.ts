import { describe, expect, it } from 'vitest';
import { readDroneFile } from '../../../src/adapters/deployment-repository/drone-file.ts';
import { importDrone } from '../../../src/domain/import/drone.ts';
import { noteInWords } from '../../../src/domain/import/note.ts';

const DEPLOY = 'commands: [helmfile apply -e $KUBE_NAMESPACE -n $KUBE_NAMESPACE]';

/** What is read from files by their path, with the notes as people see them. */
function read(files: Readonly<Record<string, string>>) {
  const each = Object.entries(files).map(([file, text]) => readDroneFile(text, file));
  const pipelines = each.flatMap((one) => one.pipelines);
  const imported = importDrone(pipelines, (path) => files[path]);
  const notes = [...each.flatMap((one) => one.notes), ...imported.notes];
  return { ...imported, notes: notes.map(noteInWords) };
}

const readOne = (text: string) => read({ '.drone.yml': text });
const after = ({ environments }: ReturnType<typeof read>) =>
  Object.fromEntries(environments.map((environment) => [environment.name, environment.after]));

describe('a .drone.yml', () => {
  it('says where and how each environment is deployed', () => {
    const { environments, branch } = readOne(`---
kind: pipeline
name: deploy qa
trigger: { event: [push], branch: [release] }
steps:
  - name: cs-qa
    environment:
      KUBE_CLUSTER: ACP_notprod
      KUBE_NAMESPACE: cs-qa
      KUBE_SERVER: https://kube.example.org
      KUBE_TOKEN: { from_secret: cs-notprod.token }
      ALLOWED_IPS: { from_secret: 1_ips }
      VERSION: 3.10
      ON: "true"
    commands:
      - helmfile apply --environment \${KUBE_NAMESPACE} -n \${KUBE_NAMESPACE}
      - kubectl rollout restart deployment/web -n \${KUBE_NAMESPACE}
`);
    expect(branch).toBe('release');
    expect(environments).toEqual([
      {
        ...{ name: 'cs-qa', namespace: 'cs-qa', cluster: 'acp-notprod', after: [] },
        server: 'https://kube.example.org',
        token: 'CS_NOTPROD_TOKEN',
        variables: new Map<string, unknown>([
          ['ALLOWED_IPS', { env: '_1_IPS' }],
          ['VERSION', { text: '3.10' }],
          ['ON', { text: 'true' }],
        ]),
        restart: ['deployment/web'],
      },
    ]);
  });

  // Tried with the reader that Drone uses: maps of a step are merged key by key, in the order in which
  // they stand, and of a list of merges the first counts most.
  it.each([
    ['<<: *a\n    environment: { KUBE_NAMESPACE: b, A: 2 }', { A: '2', B: '1' }],
    ['environment: { KUBE_NAMESPACE: b, A: 2 }\n    <<: *c', { A: '1', B: '1' }],
    ['<<: *nested\n    environment: { KUBE_NAMESPACE: b, C: 4 }', { A: '1', B: '3', C: '4' }],
    ['<<: [*nested, *c]\n    environment: { KUBE_NAMESPACE: b }', { A: '1', B: '3' }],
    ['environment:\n      <<: *variables\n      KUBE_NAMESPACE: b', { A: '9' }],
  ])('merges what anchors bring in as Drone does: %s', (step, expected) => {
    const text = `x-variables: &variables { A: 9 }
x-step: &a { ${DEPLOY}, environment: { KUBE_NAMESPACE: a, A: 1, B: 1 } }
x-other: &c { environment: { A: 1, B: 1 } }
x-nested: &nested
  <<: *a
  environment: { B: 3 }
steps:
  - ${DEPLOY}
    ${step}
    name: deploy
`;
    const [environment] = readOne(text).environments;
    expect(environment?.name).toBe('b');
    const variables = [...(environment?.variables ?? [])].map(([key, value]) => [
      key,
      'text' in value ? value.text : value,
    ]);
    expect(Object.fromEntries(variables)).toEqual(expected);
  });

  it('orders environments by depends_on, over steps that deploy nothing', () => {
    const step = (name: string, dependsOn: string) =>
      `  - { name: ${name}, depends_on: ${dependsOn}, environment: { KUBE_NAMESPACE: ${name} }, ${DEPLOY} }\n`;
    const text = `steps:
${step('a', '[]')}${step('b', '[check]')}${step('c', 'a')}  - { name: check, depends_on: [a], commands: [./check.sh] }
`;
    expect(after(readOne(text))).toEqual({ a: [], b: ['a'], c: ['a'] });
  });

  it('has its steps one after the other where none depends on another', () => {
    const step = (name: string) =>
      `  - { name: ${name}, environment: { KUBE_NAMESPACE: ${name} }, ${DEPLOY} }\n`;
    expect(after(readOne(`steps:\n${step('a')}${step('b')}`))).toEqual({ a: [], b: ['a'] });
  });

  it('may be several documents in several folders, which wait for each other', () => {
    const pipeline = (name: string, environment: string, dependsOn = '[]') =>
      `kind: pipeline
name: ${name}
depends_on: ${dependsOn}
steps: [{ name: s, environment: { KUBE_NAMESPACE: ${environment} }, ${DEPLOY} }]
`;
    const imported = read({
      '.drone.yml': '---\n',
      'environments/qa/.drone.yml': `${pipeline('deploy', 'cs-qa')}---\n${pipeline('second', 'wcs-qa', '[deploy]')}`,
      'environments/uat/.drone.yml': pipeline('deploy', 'cs-uat', '[second]'),
    });
    expect(after(imported)).toEqual({ 'cs-qa': [], 'wcs-qa': ['cs-qa'], 'cs-uat': ['wcs-qa'] });
  });

  it('drops nothing in silence: what is not carried over is named with file and line', () => {
    const { notes } = read({
      'deploy.sh': 'helmfile apply -e $KUBE_NAMESPACE\ncurl https://x.example.org/hook\n',
      '.drone.yml': `kind: secret
name: token
---
kind: pipeline
trigger:
  event: [push, promote]
  branch: [main, release/*]
services: [{ name: db }]
steps:
  - name: lint
    commands: [yamllint .]
  - name: qa
    failure: ignore
    when:
      branch: { exclude: [x] }
      event: push
    environment: { KUBE_NAMESPACE: qa, KUBECONFIG: x, KUBE_TOKEN: plain, KUBE_SERVER: https://k }
    commands:
      - bash -x deploy.sh
  - name: computed
    environment: { KUBE_NAMESPACE: "$X" }
    ${DEPLOY}
`,
    });
    expect(notes).toMatchInlineSnapshot(`
      [
        ".drone.yml:1: the document of kind secret",
        ".drone.yml:8: \`services\` of the pipeline default",
        ".drone.yml:6: \`trigger.event\` of the pipeline default",
        ".drone.yml:7: \`trigger.branch\` of the pipeline default",
        ".drone.yml:10: the step lint, which deploys nothing",
        ".drone.yml:13: \`failure\` of the step qa",
        ".drone.yml:15: \`when.branch\` of the step qa",
        "deploy.sh:2: the command \`curl https://x.example.org/hook\`",
        ".drone.yml:12: the variable KUBECONFIG of the step qa",
        ".drone.yml:12: the token of the step qa stands in the file for all to read",
        ".drone.yml:20: the step computed: "$X" is no fixed name of an environment and its namespace",
      ]
    `);
  });
});

describe('a .drone.yml that cannot be read', () => {
  it.each([
    ['no YAML', 'steps: [\n  - {', /^\.drone\.yml:\d+ is not valid YAML: /],
    [
      'steps in a circle',
      'steps:\n  - { name: a, depends_on: [b] }\n  - { name: b, depends_on: [a] }\n',
      /^\.drone\.yml:1: depends_on goes round in a circle: a → b → a\.$/,
    ],
    [
      'pipelines in a circle',
      'name: a\ndepends_on: [b]\n---\nname: b\ndepends_on: [a]\n',
      /depends_on goes round in a circle: a → b → a\.$/,
    ],
    ['an alias bomb', bomb(), /^\.drone\.yml:1 cannot be read: it has too many aliases\.$/],
    [
      'an alias of itself',
      'steps: [&a { <<: *a, name: x }]',
      /^\.drone\.yml:1 cannot be read: its aliases nest too deep\.$/,
    ],
  ])('is refused in words: %s', (_what, text, message) => {
    expect(() => readOne(text)).toThrow(message);
  });
});

function bomb(): string {
  const levels = Array.from({ length: 8 }, (_, at) => {
    const inner = at === 0 ? '{ A: 1 }' : `{ <<: [${`*l${at - 1}, `.repeat(9)}*l${at - 1}] }`;
    return `x${at}: &l${at} ${inner}\n`;
  });
  return `${levels.join('')}steps: [{ name: a, environment: *l7 }]\n`;
}
