import { Type, type Static } from 'typebox';
import { RESTART_PATTERN } from '../domain/restart.ts';
import { ALLOW_PATTERN, ALLOWABLE } from '../domain/gate/allow.ts';
import {
  absolutePath,
  byName,
  closed,
  duration,
  hostPort,
  integer,
  mapOf,
  named,
  PLACE_PATTERN,
  positiveDuration,
  secret,
  secretKeywords,
  text,
  type RawSecret,
} from './schema-parts.ts';

/**
 * The raw shape of slipway.yaml, in draft-07 vocabulary only: editors promise no more.
 * What a schema cannot say is in rules.ts.
 */

const IMAGE_PATTERN =
  '^([A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+|localhost)(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$';

const clusterSchema = Type.Object(
  {
    server: Type.Optional(
      text('an https URL', 'URL of the Kubernetes API; http only on loopback.'),
    ),
    certificateAuthority: Type.Optional(
      Type.Object(
        { file: absolutePath('PEM file.') },
        {
          ...closed,
          title: 'a map',
          description: 'Signs the server; the system’s CAs by default.',
        },
      ),
    ),
    token: Type.Optional(secret('For environments without a token of their own.')),
    workerToken: Type.Optional(
      secret('Signs the cluster’s worker in to the server; made by `slipway token`.'),
    ),
    kubeconfig: Type.Optional(
      Type.Object(
        {
          file: absolutePath('A kubeconfig file on the worker.'),
          context: text('the name of a context', 'The context to use.', { minLength: 1 }),
        },
        {
          ...closed,
          title: 'a map',
          description: 'Instead of server, certificateAuthority and token.',
        },
      ),
    ),
  },
  {
    ...closed,
    title: 'a map',
    // For editors; rules.ts says the same in words.
    oneOf: [{ required: ['server'] }, { required: ['kubeconfig'] }],
  },
);

const forgeSchema = Type.Object(
  {
    type: Type.Enum(['github'], { title: 'github', description: 'Which forge it is.' }),
    webhookSecret: Type.Unsafe<RawSecret | RawSecret[]>({
      type: ['object', 'array'],
      ...secretKeywords,
      description: 'Signs webhooks; two of them while one replaces the other.',
      items: secret('Either of them is accepted.'),
      minItems: 1,
      maxItems: 2,
    }),
    token: Type.Optional(secret('Reads the repository over https, and calls the forge’s API.')),
  },
  {
    ...closed,
    title: 'a map',
    description: 'Without it webhooks are refused, and releases are made through the API.',
  },
);

const retrySchema = Type.Object(
  {
    attempts: Type.Optional(integer(1, 10, 'Attempts of a deployment in all. Default 3.')),
    backoff: Type.Optional(duration('Wait before the second attempt; doubles. Default 30s.')),
    limit: Type.Optional(positiveDuration('Longest wait between two attempts. Default 10m.')),
  },
  { ...closed, title: 'a map', description: 'How a transient failure is tried again.' },
);

const rolloutSchema = Type.Object(
  {
    timeout: Type.Optional(positiveDuration('For workloads to become healthy. Default 10m.')),
    soak: Type.Optional(duration('How long they must stay healthy. Default 30s.')),
    restarts: Type.Optional(integer(0, 100, 'Crashes that are waited out. Default 5.')),
  },
  { ...closed, title: 'a map', description: 'When a rollout counts as healthy.' },
);

const approvalSchema = Type.Object(
  {
    count: Type.Optional(integer(1, 20, 'How many people must approve. Default 1.')),
    from: Type.Optional(
      Type.Array(text('the name of a group', 'A group of the token.', { minLength: 1 }), {
        title: 'a list of groups',
        description: 'Whose members may approve. Default: any person.',
        minItems: 1,
        uniqueItems: true,
      }),
    ),
    expires: Type.Optional(
      positiveDuration('How long a plan waits before it is cancelled. Default: without limit.'),
    ),
  },
  { ...closed, title: 'a map', description: 'Plans wait until people have approved them.' },
);

const cronLine = (description: string) =>
  text('a cron line such as "0 17 * * 5"', description, { minLength: 1 });

const freezeSchema = Type.Object(
  {
    cron: cronLine('When it begins: minute, hour, day of month, month, day of week.'),
    until: cronLine('When it ends: the next of these times.'),
    timezone: text('a time zone such as Europe/London', 'In which both are meant.', {
      minLength: 1,
    }),
    reason: text('text', 'What people are told.', { minLength: 1 }),
  },
  { ...closed, title: 'a map with cron, until, timezone and reason' },
);

const modeSchema = (description: string) =>
  Type.Enum(['deploy', 'observe'], { title: 'deploy or observe', description });

// Flat for the same reason as secrets.
const followedSchema = Type.Unsafe<RawFollowed>({
  type: ['string', 'object'],
  title: 'an environment, repository/environment, or { environment, soak }',
  pattern: PLACE_PATTERN,
  properties: {
    environment: text(
      'an environment, or repository/environment',
      'Of the same repository, where none is named.',
      { pattern: PLACE_PATTERN },
    ),
    soak: positiveDuration(
      'How long it must have been healthy with the same versions. Default: just healthy.',
    ),
  },
  required: ['environment'],
  ...closed,
});

const environmentSchema = Type.Object(
  {
    cluster: named('A key of clusters.'),
    namespace: Type.Optional(named('Default: the environment’s name.')),
    tier: Type.Optional(
      Type.Enum(['notprod', 'prod'], { title: 'notprod or prod', description: 'Default notprod.' }),
    ),
    after: Type.Optional(
      Type.Array(followedSchema, {
        title: 'a list of environments',
        description:
          'Waits until these have succeeded in the release; of another repository, until the same versions are healthy there.',
        uniqueItems: true,
      }),
    ),
    token: Type.Optional(secret('Narrower than the cluster’s.')),
    variables: Type.Optional(
      mapOf(
        {
          title: 'letters, digits and underscores, not starting with a digit',
          pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
        },
        Type.Unsafe<string | RawSecret>({
          type: ['string', 'object'],
          ...secretKeywords,
          title: 'text, { env: NAME } or { file: path }',
        }),
        'Environment variables of helmfile: it sees no others.',
      ),
    ),
    versionKeys: Type.Optional(
      mapOf(
        { title: 'the name of a service', pattern: '^.+$' },
        text('a key of versions.yaml', 'The key that drives this service.', { minLength: 1 }),
        'Which version key drives a service that has none of its own name.',
      ),
    ),
    allow: Type.Optional(
      Type.Array(
        text(
          `one of ${Object.keys(ALLOWABLE).join(', ')}, or ref+ and a provider of vals that runs no commands`,
          'See docs/security.md.',
          { pattern: ALLOW_PATTERN },
        ),
        {
          title: 'a list of what is permitted',
          description: 'What the default isolation refuses.',
          uniqueItems: true,
        },
      ),
    ),
    approval: Type.Optional(approvalSchema),
    freeze: Type.Optional(
      Type.Array(freezeSchema, {
        title: 'a list of windows',
        description: 'When nothing is deployed here, again and again.',
        maxItems: 50,
      }),
    ),
    retry: Type.Optional(retrySchema),
    rollout: Type.Optional(rolloutSchema),
    onFailure: Type.Optional(
      Type.Enum(['stop', 'rollback'], {
        title: 'stop or rollback',
        description:
          'After a failed deployment: leave it as it is (stop, the default), or take back every service that it changed.',
      }),
    ),
    restart: Type.Optional(
      Type.Array(
        text(
          'deployment, statefulset or daemonset, a slash and a name',
          'Such as deployment/frontend.',
          { pattern: RESTART_PATTERN },
        ),
        {
          title: 'a list of workloads',
          description: 'Restarted after an apply that changed something, then verified as it was.',
          uniqueItems: true,
        },
      ),
    ),
    overtakeVerifying: Type.Optional(
      Type.Boolean({
        title: 'true or false',
        description:
          'A newer commit takes the place of a deployment also while that is verified. Default false: only while it waits, plans or pauses between attempts.',
      }),
    ),
    chartRanges: Type.Optional(
      Type.Enum(['hold', 'follow'], {
        title: 'hold or follow',
        description:
          'A chart that moved within its range joins the next release (hold, the default), or is released by a merge that changes nothing else (follow).',
      }),
    ),
    drift: Type.Optional(
      text(
        'off, or a duration in whole minutes or hours such as 15m',
        'How often it is looked whether everything is as it was left. Default 15m.',
        { pattern: '^(off|[1-9][0-9]{0,2}m|[1-9][0-9]?h)$' },
      ),
    ),
    mode: Type.Optional(
      modeSchema(
        'With observe nothing is applied here: plans are compared with what another pipeline does. Default: the repository’s.',
      ),
    ),
    prune: Type.Optional(
      Type.Boolean({
        title: 'true or false',
        description:
          'Uninstalls what Slipway deployed and the repository no longer declares. Default false.',
      }),
    ),
  },
  { ...closed, title: 'a map' },
);

const versionSourceSchema = Type.Object(
  {
    git: Type.Optional(
      text('a git URL', 'The repository of the service, whose tags are versions.'),
    ),
    image: Type.Optional(
      text(
        'an image with its registry and without a tag, such as registry.example.org/audit',
        'The image of the service, whose tags are versions.',
        { pattern: IMAGE_PATTERN },
      ),
    ),
  },
  { ...closed, title: '{ git: URL } or { image: NAME }', minProperties: 1, maxProperties: 1 },
);

const repositorySchema = Type.Object(
  {
    url: text('a git URL', 'https, ssh or user@host:path; http only on loopback.'),
    branch: Type.Optional(
      text('the name of a branch', 'Its merges are released. Default main.', {
        pattern: '^(?!-)[A-Za-z0-9._/-]{1,200}$',
      }),
    ),
    forge: Type.Optional(forgeSchema),
    poll: Type.Optional(
      text(
        'off, or a duration from 10s to 99h such as 60s',
        'How often the head of the branch is looked at; finds pushes of which no webhook told. Default 60s.',
        { pattern: '^(off|[1-9][0-9]{1,3}s|[1-9][0-9]{0,2}m|[1-9][0-9]?h)$' },
      ),
    ),
    mode: Type.Optional(modeSchema('For its environments that have none. Default deploy.')),
    environments: mapOf(byName, environmentSchema, 'By helmfile environment.', {
      minProperties: 1,
    }),
    versionSources: Type.Optional(
      mapOf(
        { title: 'a key of versions.yaml', pattern: '^.+$' },
        versionSourceSchema,
        'Where `slipway bump --latest` finds the versions of a key.',
      ),
    ),
  },
  { ...closed, title: 'a map' },
);

export const configSchema = Type.Object(
  {
    version: Type.Unsafe<1>({ const: 1, title: '1', description: 'Version of this format.' }),
    server: Type.Object(
      {
        url: text(
          'an https URL',
          'Where people and webhooks reach Slipway; http only on loopback.',
        ),
        listen: Type.Optional(hostPort('Default 127.0.0.1:8080.')),
        inbox: Type.Optional(
          Type.Object(
            { keepDays: Type.Optional(integer(1, 3650, 'Days. Default 30.')) },
            {
              ...closed,
              title: 'a map',
              description: 'How long received events are kept, with bodies and verdicts.',
            },
          ),
        ),
      },
      { ...closed, title: 'a map', description: 'The HTTP server.' },
    ),
    database: Type.Object(
      { url: secret('postgres://…') },
      { ...closed, title: 'a map', description: 'PostgreSQL.' },
    ),
    temporal: Type.Object(
      {
        address: hostPort('Temporal’s frontend.'),
        namespace: Type.Optional(
          text('the name of a Temporal namespace', 'Default slipway.', { minLength: 1 }),
        ),
      },
      { ...closed, title: 'a map', description: 'Temporal.' },
    ),
    dataDir: absolutePath('Git mirrors, tools and Helm’s caches.'),
    clusters: mapOf(byName, clusterSchema, 'Kubernetes clusters.'),
    repositories: mapOf(byName, repositorySchema, 'Deployment repositories.'),
  },
  {
    ...closed,
    title: 'a map',
    description: 'What Slipway releases, and where.',
  },
);

/** The schema as editors get it: schema/slipway.schema.json. */
export const publishedSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...configSchema,
  title: 'slipway.yaml',
};

export type RawFollowed = string | { environment: string; soak?: string };
export type RawConfig = Static<typeof configSchema>;
export type RawEnvironment = Static<typeof environmentSchema>;
export type RawCluster = Static<typeof clusterSchema>;
export type RawRepository = Static<typeof repositorySchema>;
export type RawForge = Static<typeof forgeSchema>;
