/** The arrows between folders; each rule says why it exists. Layout: docs/architecture.md. */

const only = (name, comment, from, allowed, to = {}) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { pathNot: [from, ...allowed], ...to },
});
const npm = (...names) => `node_modules/(${names.join('|')})/`;

export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Data flows one way.',
      from: {},
      to: { circular: true },
    },
    only(
      'domain-is-pure',
      'Rules decide; they know nobody. Time, ids and data come in as arguments.',
      '^src/domain/',
      [],
    ),
    only(
      'workflow-contract-is-pure',
      'Its types live on in running histories, so it depends on nothing that moves.',
      '^src/contract/workflow/',
      ['^src/domain/'],
    ),
    only(
      'api-contract',
      'Schemas of HTTP resources; types are derived from them.',
      '^src/contract/api/',
      ['^src/domain/', '^src/contract/log-sink\\.ts$', npm('typebox')],
    ),
    only(
      'config',
      'slipway.yaml in, valid configuration out.',
      '^src/config/',
      ['^src/domain/', npm('yaml', 'typebox', 'ajv', 'croner')],
      { dependencyTypesNot: ['core'] },
    ),
    {
      name: 'adapters-know-no-caller',
      severity: 'error',
      comment: 'An adapter wraps one neighbour for everyone; whoever calls it is not its business.',
      from: { path: '^src/adapters/' },
      to: { path: '^(src/(http|cli|main|config)/|workflows/|activities/)' },
    },
    {
      name: 'one-importer-for-processes',
      severity: 'error',
      comment: 'Every child process starts with an exact environment and ends with its tree.',
      from: { pathNot: '^(src/adapters/process/|tools/bootstrap\\.mjs$)' },
      to: { path: `${npm('execa')}|^(node:)?child_process$`, pathNot: '^$' },
    },
    {
      name: 'one-importer-for-the-database',
      severity: 'error',
      comment: 'SQL stays in one folder; bound values never reach other error texts.',
      from: { pathNot: '^(src/adapters/postgres/|migrations/|test/)' },
      to: { path: npm('kysely', 'pg'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-are-deterministic',
      severity: 'error',
      comment:
        'Workflow code is replayed. Put effects in an activity; share types through src/contract/workflow.',
      from: { path: '^workflows/' },
      to: {
        pathNot: [
          '^workflows/',
          '^src/domain/',
          '^src/contract/workflow/',
          'node_modules/@temporalio/(workflow|common)/',
        ],
      },
    },
    {
      name: 'activities-are-thin',
      severity: 'error',
      comment:
        'Activities call adapters that they are given, so that tests and roles can choose them.',
      from: { path: '^activities/' },
      to: { path: '^src/adapters/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'http-gets-its-adapters',
      severity: 'error',
      comment: 'The app is built from what it is given; only src/main wires.',
      from: { path: '^src/http/' },
      to: {
        path: '^(src/adapters/|src/main/|src/cli/|workflows/|activities/)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'cli-is-a-client',
      severity: 'error',
      comment:
        'Commands speak HTTP; those that start processes live in src/main behind a lazy import.',
      from: { path: '^src/cli/' },
      to: { path: '^(src/adapters/|src/http/|workflows/|activities/)' },
    },
    {
      name: 'server-holds-no-cluster',
      severity: 'error',
      comment: 'The server has no cluster credentials, so it has no code to use them.',
      from: { path: '^src/main/server\\.ts$' },
      to: { path: '^src/adapters/(kubernetes|helmfile)/', reachable: true },
    },
    {
      name: 'worker-holds-no-database',
      severity: 'error',
      comment: 'The worker of a cluster has no database, so it has no code to use one.',
      from: { path: '^src/main/worker\\.ts$' },
      to: { path: '^(src/adapters/postgres|migrations)/', reachable: true },
    },
    {
      name: 'nobody-imports-the-roots',
      severity: 'error',
      comment: 'Composition roots, tests, tools and benchmarks are where imports end.',
      from: { pathNot: '^(src/main|test|tools|bench|vitest\\.config\\.ts)' },
      to: { path: '^(src/main|test|tools|bench)/', pathNot: '^src/main/cli\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
