import { describe, expect, test } from 'vitest';
import { helmfileError } from '../../src/adapters/helmfile/classify.ts';
import type { CauseReport } from '../../src/domain/cause.ts';
import { CAUSE_CODES } from '../../src/domain/errors.ts';
import { ACTIONS } from '../../src/domain/why/actions.ts';
import type { EventFacts, Evidence } from '../../src/domain/why/evidence.ts';
import { explain, explainError, ownerOf } from '../../src/domain/why/rules.ts';
import type { ContainerFacts, WorkloadFacts } from '../../src/domain/workload.ts';

/** Said by helmfile 1.8.0, Helm 4.3.1 and a Kubernetes 1.37.2, without helmfile's frame. */
describe('what helm, helmfile and the API server say', () => {
  const failed = { code: 'helm-failed', sentence: 'Applying failed.' } as const;

  test.each<[string, string, string, string]>([
    [
      'a name with a hyphen in a template',
      `in ./helmfile.yaml.gotmpl: failed processing release a: failed to render values files "values.yaml.gotmpl": failed to render [values.yaml.gotmpl], because of template: stringTemplate:1: bad character U+002D '-'`,
      'template-error',
      'values.yaml.gotmpl:1 cannot be rendered: a name with a hyphen cannot follow a dot in a Go template (bad character U+002D \'-\'). Write `index .Values.versions "hocs-audit"` instead of `.Values.versions.hocs-audit`.',
    ],
    [
      'a template that renders to no YAML',
      'Error: YAML parse error on objects/templates/r.yaml: error converting YAML to JSON: yaml: line 5: mapping values are not allowed in this context',
      'template-error',
      'objects/templates/r.yaml does not render to YAML: line 5: mapping values are not allowed in this context.',
    ],
    [
      'an API version that is no longer served',
      'Error: unable to build kubernetes objects from release manifest: resource mapping not found for name: "one" namespace: "" from "": no matches for kind "PodSecurityPolicy" in version "policy/v1beta1"\nensure CRDs are installed first',
      'template-error',
      'The cluster serves no PodSecurityPolicy in version policy/v1beta1: the chart is older than the cluster, or a custom resource definition is not installed.',
    ],
    [
      'a value of the wrong kind',
      'Error: server-side apply failed for object default/bad apps/v1, Kind=Deployment: failed to create typed patch object (default/bad; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string',
      'template-error',
      'The field .spec.replicas of default/bad; apps/v1, Kind=Deployment has a value of the wrong kind: expected numeric (int or float), got string.',
    ],
    [
      'a value that a values file reads',
      'in ./helmfile.yaml.gotmpl: failed processing release a: failed to render values files "values.yaml.gotmpl": failed to render [values.yaml.gotmpl], because of template: stringTemplate:1:19: executing "stringTemplate" at <.Values.versions.nothere>: map has no entry for key "versions"',
      'values-missing',
      '.Values.versions.nothere has no value: values.yaml.gotmpl:1 finds no "versions".',
    ],
    [
      'a file that sops has no key for',
      'Recovery failed because no master key was able to decrypt the file. In | [helm-secrets] Error while decrypting file: /data/attempts/a-Mvz9LF/tree/env/s.yaml | Error: plugin "secrets" exited with error | in ./helmfile.yaml: failed to read helmfile.yaml: failed loading environment secrets with 1 errors',
      'values-missing',
      "env/s.yaml could not be decrypted: Recovery failed because no master key was able to decrypt the file. The key belongs into the environment's `variables`.",
    ],
    [
      'a file that a plugin refuses without a word',
      '[helm-secrets] Error while decrypting file: web.yaml',
      'values-missing',
      "web.yaml could not be decrypted. The key belongs into the environment's `variables`.",
    ],
    [
      'a variable of the environment',
      'in ./helmfile.yaml.gotmpl: error during helmfile.yaml.gotmpl.part.0 parsing: template: stringTemplate:4:19: executing "stringTemplate" at <requiredEnv "ALLOWED_IPS">: error calling requiredEnv: required env var `ALLOWED_IPS` is not set',
      'values-missing',
      'The variable ALLOWED_IPS, which helmfile.yaml.gotmpl:4 requires, is not set.',
    ],
    [
      'a value that a chart requires',
      'Error: execution error at (objects/templates/r.yaml:5:8): ingress.host is required',
      'values-missing',
      'ingress.host is required (required at objects/templates/r.yaml:5:8).',
    ],
    [
      'a value that a chart reads through',
      'Error: objects/templates/r.yaml:5:51\n  executing "objects/templates/r.yaml" at <.Values.ingress.host>:\n    nil pointer evaluating interface {}.host',
      'values-missing',
      '.Values.ingress.host has no value: it is read at objects/templates/r.yaml:5:51 (nil pointer evaluating interface {}.host).',
    ],
    [
      'a chart repository that is not declared',
      'Error: repo none not found',
      'chart-unresolved',
      'No chart repository named "none" is declared or could be read.',
    ],
    [
      'a chart repository that wants a login',
      'Error: looks like "https://charts.example" is not a valid chart repository or cannot be reached: failed to fetch https://charts.example/index.yaml : 401 Unauthorized',
      'chart-auth',
      'The chart repository refuses access: failed to fetch https://charts.example/index.yaml : 401 Unauthorized.',
    ],
    [
      'a registry of charts that wants a login',
      'Error: failed to perform "FetchReference" on source: GET "https://charts.example/v2/charts/thing/manifests/1.0.0": basic credential not found',
      'chart-auth',
      'The chart repository refuses access: failed to perform "FetchReference" on source: GET "https://charts.example/v2/charts/thing/manifests/1.0.0": basic credential not found.',
    ],
    [
      'a quota',
      'Error: server-side apply failed for object small/one /v1, Kind=ConfigMap: configmaps "one" is forbidden: exceeded quota: small, requested: configmaps=1, used: configmaps=1, limited: configmaps=1',
      'quota',
      'The quota "small" leaves no room for objects: requested configmaps=1, used configmaps=1, limited configmaps=1.',
    ],
    [
      'a disruption budget',
      "Error from server (TooManyRequests): Cannot evict pod as it would violate the pod's disruption budget.",
      'eviction-blocked',
      'A disruption budget forbids the eviction: no pod that it covers may be missing now.',
    ],
    [
      'a selector that cannot change',
      'Error: UPGRADE FAILED: server-side apply failed for object default/slow apps/v1, Kind=Deployment: Deployment.apps "slow" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"slow","x":"y"}}: field is immutable',
      'immutable-field',
      'The field spec.selector of Deployment "slow" cannot change (to {"matchLabels":{"app":"slow","x":"y"}}): the object has to be created anew.',
    ],
    [
      "a Job's template, whose values are nobody's business",
      'Error: UPGRADE FAILED: server-side apply failed for object default/job batch/v1, Kind=Job: Job.batch "job" is invalid: spec.template: Invalid value: {"labels":{"job-name":"job"},"Spec":{"Volumes":null,"Containers":[{"Name":"app","Env":[{"Name":"TOKEN","Value":"s3cret"}]}]}}: field is immutable',
      'immutable-field',
      'The field spec.template of Job "job" cannot change: the object has to be created anew.',
    ],
    [
      'an admission policy',
      `Error: server-side apply failed for object guarded/slow apps/v1, Kind=Deployment: deployments.apps "slow" is forbidden: ValidatingAdmissionPolicy 'owners' with binding 'owners' denied request: every Deployment needs a label owner`,
      'admission-denied',
      'The admission policy "owners" denies it: every Deployment needs a label owner',
    ],
    [
      'a permission',
      'Error: query: failed to query with labels: secrets is forbidden: User "system:serviceaccount:default:weak" cannot list resource "secrets" in API group "" in the namespace "default"',
      'rbac-forbidden',
      'system:serviceaccount:default:weak may not list secrets in namespace default.',
    ],
    [
      'another operation of Helm',
      'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress',
      'helm-locked',
      'Another Helm operation on this service is in progress.',
    ],
    [
      'a hook',
      'Error: UPGRADE FAILED: pre-upgrade hooks failed: resource Job/default/hook-migrate not ready. status: Failed, message: Job Failed. failed: 1/1',
      'hook-failed',
      'The pre-upgrade hook Job/hook-migrate failed.',
    ],
    [
      'a hook of an installation',
      'Error: failed pre-install: resource Job/default/hook-migrate not ready. status: Failed, message: Job Failed. failed: 1/1',
      'hook-failed',
      'The pre-install hook Job/hook-migrate failed.',
    ],
    [
      'credentials',
      'Error: kubernetes cluster unreachable: the server has asked for the client to provide credentials',
      'cluster-auth',
      'The API server refuses the credentials.',
    ],
    [
      'a certificate that nobody trusts',
      'Error: kubernetes cluster unreachable: Get "https://127.0.0.1:32759/version": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      'cluster-auth',
      'The certificate of the API server is not trusted: certificate signed by unknown authority.',
    ],
    [
      'an API server that is away',
      'Error: kubernetes cluster unreachable: Get "https://127.0.0.1:1/version": dial tcp 127.0.0.1:1: connect: connection refused',
      'cluster-unreachable',
      'The API server cannot be reached: dial tcp 127.0.0.1:1: connect: connection refused.',
    ],
    [
      'a chart template that ends too early',
      'Error: parse error at (api/templates/more.yaml:4): unexpected EOF',
      'template-error',
      'api/templates/more.yaml:4 cannot be rendered: an `{{ end }}` is missing: unexpected EOF.',
    ],
    [
      'a function that no chart has',
      'Error: parse error at (api/templates/more.yaml:2): function "nofunc" not defined',
      'template-error',
      'api/templates/more.yaml:2 cannot be rendered: function "nofunc" not defined.',
    ],
    [
      'a template that is not there',
      'Error: api/templates/more.yaml:1:6\n  executing "api/templates/more.yaml" at <include "nope.labels" .>:\n    error calling include:\ntemplate: no template "nope.labels" associated with template "gotpl"',
      'template-error',
      'api/templates/more.yaml:1:6 cannot be rendered at `include "nope.labels" .`: no template "nope.labels" associated with template "gotpl".',
    ],
    [
      'a value that an included template reads through',
      'Error: api/templates/more.yaml:1:6\n  executing "api/templates/more.yaml" at <include "api.tag" .>:\n    error calling include:\napi/templates/_helpers.tpl:2:10\n  executing "api.tag" at <.Values.image.tag>:\n    nil pointer evaluating interface {}.tag',
      'values-missing',
      '.Values.image.tag has no value: it is read at api/templates/_helpers.tpl:2:10, which api/templates/more.yaml:1:6 includes (nil pointer evaluating interface {}.tag).',
    ],
    [
      'a loop over no list',
      `Error: api/templates/more.yaml:2:26\n  executing "api/templates/more.yaml" at <.Values.version>:\n    range can't iterate over 1`,
      'template-error',
      "api/templates/more.yaml:2:26 cannot be rendered at `.Values.version`: range can't iterate over 1.",
    ],
    [
      'a comparison of two kinds',
      'Error: template: api/templates/more.yaml:2:6: executing "api/templates/more.yaml" at <gt .Values.version 3>: error calling gt: incompatible types for comparison: string and int',
      'template-error',
      'api/templates/more.yaml:2 cannot be rendered at `gt .Values.version 3`: incompatible types for comparison: string and int.',
    ],
    [
      'a list where a resource belongs',
      'Error: YAML parse error on api/templates/more.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type util.SimpleHead',
      'template-error',
      'api/templates/more.yaml does not render to a resource of Kubernetes: cannot unmarshal array into Go value of type util.SimpleHead.',
    ],
    [
      'values of a chart that are no YAML',
      'in ./helmfile.yaml.gotmpl: release "api"\nError: cannot load values.yaml: cannot unmarshal yaml document: error converting YAML to JSON: yaml: line 1: did not find expected node content',
      'template-error',
      'The values.yaml of the chart of api is no valid YAML: line 1: did not find expected node content.',
    ],
    [
      'a chart for another cluster',
      'in ./helmfile.yaml.gotmpl: release "api"\nError: chart requires kubeVersion: <1.20 which is incompatible with Kubernetes v1.37.2',
      'template-error',
      'The chart of api cannot be used: chart requires kubeVersion: <1.20 which is incompatible with Kubernetes v1.37.2.',
    ],
    [
      'a chart without a version',
      'in ./helmfile.yaml.gotmpl: release "api"\nError: validation: chart.metadata.version is required',
      'template-error',
      'The chart of api cannot be used: chart.metadata.version is required.',
    ],
    [
      'a name that Helm does not take',
      String.raw`Error: release name check failed: release name "Api_X": invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53`,
      'template-error',
      'The name "Api_X" is none for a service: Helm takes lower case letters, digits, dots and hyphens, at most 53.',
    ],
    [
      'a chart that another one needs',
      `in ./helmfile.yaml.gotmpl: release "api"\nError: an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: lib`,
      'chart-unresolved',
      'The chart of api needs lib, which is not in its charts folder: commit it there (`helm dependency update`).',
    ],
    [
      'a chart that another one has in its own folder, and has not',
      'Error: directory api/charts/lib not found',
      'chart-unresolved',
      'The chart api needs lib, which is not in its charts folder: commit it there (`helm dependency update`).',
    ],
    [
      'a package that its repository only names',
      'Error: failed to fetch http://charts.example/api-1.0.0.tgz : 404 Not Found',
      'chart-unresolved',
      'The chart repository names http://charts.example/api-1.0.0.tgz, and does not have it.',
    ],
    [
      'a claim for storage that cannot change',
      'Error: UPGRADE FAILED: cannot patch "d" with kind PersistentVolumeClaim: PersistentVolumeClaim "d" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      'immutable-field',
      'The spec, except for resources.requests and volumeAttributesClassName for bound claims, of PersistentVolumeClaim "d" cannot change: the object has to be created anew.',
    ],
    [
      'an address of a Service that cannot change',
      'Error: UPGRADE FAILED: cannot patch "api" with kind Service: Service "api" is invalid: spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
      'immutable-field',
      'The field spec.clusterIPs[0] of Service "api" cannot change (to ["None"]): the object has to be created anew.',
    ],
    [
      'an object of another service',
      'in ./helmfile.yaml.gotmpl: failed processing release web\nError: UPGRADE FAILED: unable to continue with update: ConfigMap "more" in namespace "cs-dev" exists and cannot be imported into the current release: invalid ownership metadata; annotation validation error: key "meta.helm.sh/release-name" must equal "web": current value is "api"',
      'object-taken',
      'ConfigMap "more" exists already in namespace cs-dev and belongs to api.',
    ],
    [
      'an object of nobody',
      'Error: UPGRADE FAILED: unable to continue with update: ConfigMap "more" in namespace "cs-dev" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "api"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to "cs-dev"',
      'object-taken',
      'ConfigMap "more" exists already in namespace cs-dev and was not made by Helm.',
    ],
    [
      'a number where text belongs',
      'Error: UPGRADE FAILED: failed to create resource: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
      'template-error',
      'The field spec.template.spec.containers.env.value of a Deployment is a number, where the cluster wants a string: quote it.',
    ],
    [
      'a quantity that is none',
      `Error: UPGRADE FAILED: failed to create resource: Deployment in version "v1" cannot be handled as a Deployment: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
      'template-error',
      "The cluster cannot read a Deployment: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'.",
    ],
    [
      'a field that has to be there',
      'Error: UPGRADE FAILED: failed to create resource: Deployment.apps "api" is invalid: spec.template.spec.containers[0].image: Required value',
      'template-error',
      'The cluster refuses Deployment "api" as invalid: spec.template.spec.containers[0].image: Required value.',
    ],
    [
      'a Helm release larger than a Secret',
      'Error: UPGRADE FAILED: create: failed to create: Secret "sh.helm.release.v1.api.v2" is invalid: data: Too long: may not be more than 1048576 bytes',
      'template-error',
      "Helm keeps what it deployed in one Secret, and that of api would be larger than 1 MiB: the chart's files and its rendered manifest have to be smaller.",
    ],
    [
      'a resource for a namespace that is not there',
      'Error: UPGRADE FAILED: failed to create resource: namespaces "nowhere" not found',
      'namespace-missing',
      'Namespace "nowhere" does not exist.',
    ],
  ])('%s', (_what, said, code, sentence) => {
    expect(explain({ said, seen: failed })).toMatchObject({ code, sentence });
    // As it comes from a step, which has judged the words before and joined their lines with bars.
    expect(explainError(helmfileError('evaluating the helmfile', said))).toMatchObject({
      code,
      sentence,
    });
  });

  test.each([
    'applying: Error: UPGRADE FAILED: could not get information about the resource: Get "https://127.0.0.1:1/apis/apps/v1/namespaces/cs-dev/deployments/api": dial tcp 127.0.0.1:1: connect: connection refused',
    'looking for namespace cs-dev: connect ECONNREFUSED 127.0.0.1:1',
    'reading the Lease in cs-dev: no answer within 10 s',
  ])('an API server that is away is said to be, whoever met that: %s', (sentence) => {
    const explained = explain({ said: sentence, seen: { code: 'cluster-unreachable', sentence } });
    expect(explained.sentence).toMatch(
      /^The API server cannot be reached: (dial tcp|connect ECONNREFUSED|no answer) [^"]*\.$/,
    );
  });
});

/** From a kubelet 1.37.2 with containerd 1.6, as the watcher and the adapters hand it on. */
describe('what the cluster shows', () => {
  const POD = 'api-7c78b5ffc-cg25m';

  test('a crash: exit code, restarts and the last line of the previous log', () => {
    const sentence = 'Container "app" of api exits with code 42 (Error) and was restarted 7 times.';
    const lines = ['starting on port 8080', 'fatal: cannot reach opensearch.qa: no such host', ''];
    const cause = explain({
      ...failing('crash-loop', sentence),
      events: [warning('BackOff', 'Back-off restarting failed container app in pod')],
      log: { container: 'app', previous: true, lines },
    });
    expect(cause).toMatchObject({
      ...{ code: 'crash-loop', pod: POD, container: 'app', service: 'api' },
      sentence: `${sentence} Last line of its previous log: fatal: cannot reach opensearch.qa: no such host`,
    });
    expect(cause.evidence).toEqual([
      'log of app (previous run): starting on port 8080',
      'log of app (previous run): fatal: cannot reach opensearch.qa: no such host',
      'log of app (previous run): ',
    ]);
  });

  test('a crash that is the liveness probe’s doing says so', () => {
    const answer = "cat: can't open '/tmp/alive': No such file or directory";
    const cause = explain({
      ...failing('crash-loop', 'Container "app" of api exits with code 137 (Error).', {
        ...{ restarts: 4, probes: { liveness: 'cat /tmp/alive' } },
      }),
      events: [warning('Unhealthy', `Liveness probe failed: ${answer}\n`)],
    });
    expect(cause).toMatchObject({ code: 'crash-loop', reason: 'Unhealthy' });
    expect(cause.sentence).toBe(
      `Container "app" of api is ended by its liveness probe (cat /tmp/alive) and was restarted 4 times: ${answer}.`,
    );
  });

  test('a readiness probe: the question and its answer', () => {
    const sentence =
      'Container "app" of api runs but is not ready (readiness probe: GET :8080/health).';
    const cause = explain({
      ...failing('readiness-failing', sentence),
      events: [
        warning('Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 404'),
      ],
    });
    expect(cause.sentence).toBe(`${sentence} Its answer: HTTP probe failed with statuscode: 404.`);
  });

  test.each(['oom-killed', 'init-failed', 'job-failed', 'hook-failed'] as const)(
    '%s keeps its code and quotes the log',
    (code) => {
      const log = { container: 'app', previous: false, lines: ['disk full'] };
      const cause = explain({ ...failing(code, 'It ended.'), log });
      expect(cause).toMatchObject({ code, sentence: 'It ended. Last line of its log: disk full' });
    },
  );

  test('an image: what the registry answered, without the echoes of it', () => {
    const pull =
      'Failed to pull image "example.test/nothing:9": rpc error: code = NotFound desc = failed to pull and unpack image "example.test/nothing:9": failed to resolve reference "example.test/nothing:9": example.test/nothing:9: not found';
    const cause = explain({
      ...failing('image-not-found', 'The image does not exist.'),
      events: [warning('Failed', pull, 5), warning('Failed', 'Error: ImagePullBackOff', 22)],
    });
    expect(cause.evidence).toEqual([`event of Pod/${POD}: Failed: ${pull} (5 times)`]);
  });

  test('replicas that a quota refuses, in numbers', () => {
    const sentence =
      'Deployment/slow of slow: FailedCreate: pods "slow-574586ff49-fqwqj" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1';
    const cause = explain({ seen: { code: 'quota', sentence, service: 'slow' } });
    expect(cause).toMatchObject({
      code: 'quota',
      sentence:
        'The quota "small" leaves no room for objects of slow: requested pods=1, used pods=1, limited pods=1.',
    });
  });

  test.each([
    [
      'quota',
      'pods "api-844f5c5446-ktd8c" is forbidden: failed quota: q: must specify limits.memory for: app',
      'The quota "q" takes only pods of api that say limits.memory for: app.',
    ],
    [
      'quota',
      'pods "api-7d7f595bb4-m8j27" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
      'A limit range of the namespace refuses pods of api: maximum memory usage per Container is 1Gi, but limit is 2Gi.',
    ],
    [
      'values-missing',
      'pods "api-7dcdf84dcd-" is forbidden: error looking up service account cs-dev/nobody: serviceaccount "nobody" not found',
      'Pods of api name the service account "nobody", which does not exist.',
    ],
    [
      'values-missing',
      'pods "api-7c4f5b8566-" is forbidden: no PriorityClass with name nope was found',
      'Pods of api name the priority class "nope", which does not exist.',
    ],
    [
      'admission-denied',
      'pods "api-844f5c5446-xtb6v" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
      'Pod security "restricted:latest" denies it: allowPrivilegeEscalation != false',
    ],
  ])('pods that are refused for their %s: %s', (code, words, sentence) => {
    const said = `Deployment/api of api: FailedCreate: ${words}`;
    const seen = { code: 'admission-denied', sentence: said, service: 'api' } as const;
    expect(explain({ seen })).toMatchObject({ code, sentence });
  });

  test('refusals of one pod after the other are one proof', () => {
    const refused = (pod: string, note = '') =>
      warning('FailedCreate', `${note}Error creating: pods "${pod}" is forbidden: no room`);
    const events = [
      refused('api-1'),
      refused('api-2'),
      refused('api-3', '(combined from similar events): '),
    ];
    expect(explain({ ...failing('quota', 'No room.'), events }).evidence).toHaveLength(1);
  });

  test('a pull that goes on is slow, not wrong', () => {
    const waiting = { reason: 'ContainerCreating', message: '' };
    const { workload } = failing('unknown', '', { waiting });
    const seen = { code: 'rollout-timeout', sentence: 'Not healthy in time.' } as const;
    const pulling = { ...warning('Pulling', 'Pulling image "example.test/big:1"'), type: 'Normal' };
    expect(explain({ seen, workload, events: [pulling] })).toMatchObject({
      code: 'image-slow',
      sentence: `Pod/${POD} is still pulling the image example.test/big:1.`,
    });
    const pulled = { ...pulling, reason: 'Pulled' };
    expect(explain({ seen, workload, events: [pulling, pulled] }).code).toBe('rollout-timeout');
  });

  test('a service that sleeps is not a riddle', () => {
    const { workload } = failing('unknown', '');
    const sleep = { uptime: 'Mon-Fri 07:50-18:05 Europe/London' };
    const seen = { code: 'helm-failed', sentence: 'timed out' } as const;
    expect(explain({ seen, workload: { ...workload, desired: 0, sleep } })).toMatchObject({
      code: 'asleep',
      sentence: 'Deployment/api is asleep by schedule until 07:50 Europe/London.',
    });
  });

  test('what a container says goes before what Helm says of waiting for it', () => {
    const said =
      'Error: resource Deployment/default/api not ready. status: InProgress, message: Available: 0/1\ncontext deadline exceeded';
    const cause = explain({ ...failing('readiness-failing', 'It is not ready.'), said });
    expect(cause.code).toBe('readiness-failing');
    expect(cause.evidence?.at(-1)).toBe('context deadline exceeded');
  });

  function failing(
    code: CauseReport['code'],
    sentence: string,
    container: Partial<ContainerFacts> = {},
  ): { seen: CauseReport; workload: WorkloadFacts } {
    const app = { name: 'app', image: 'example.test/app:1', restarts: 0, ...container };
    return {
      seen: {
        code,
        sentence,
        service: 'api',
        workload: 'Deployment/api',
        pod: POD,
        container: 'app',
      },
      workload: {
        ...{
          kind: 'Deployment',
          name: 'api',
          service: 'api',
          generation: 1,
          observedGeneration: 1,
        },
        ...{ desired: 1, updated: 1, available: 0, old: 0 },
        pods: [{ name: POD, containers: [app] }],
      },
    };
  }

  function warning(reason: string, message: string, count = 1): EventFacts {
    return { object: `Pod/${POD}`, type: 'Warning', reason, message, count };
  }
});

describe('an answer is always given', () => {
  test('no rule fits: the words there are, and the last of the error output', () => {
    const said = Array.from({ length: 40 }, (_, at) => `line ${at}`).join('\n');
    const cause = explain({ said, seen: { code: 'unknown', sentence: 'applying: line 39' } });
    expect(cause).toMatchObject({ code: 'unknown', sentence: 'applying: line 39' });
    expect(cause.evidence?.at(-1)).toBe('line 39');
  });

  test('not even words: it says so', () => {
    expect(explain({})).toMatchObject({
      code: 'unknown',
      sentence: 'It failed, and nothing says why.',
    });
  });

  test('evidence is bounded, whatever the neighbours print; of a log the end counts', () => {
    const long = 'ä'.repeat(5_000);
    const events = Array.from({ length: 50 }, (_, at): EventFacts => {
      return { object: 'Pod/a', type: 'Warning', reason: 'R', message: `${at} ${long}`, count: 1 };
    });
    const lines = Array.from({ length: 50 }, (_, at) => `${at} ${long.slice(0, 40)}`);
    for (const evidence of [
      { events },
      { said: lines.join('\n') },
      { log: { container: 'app', previous: true, lines } },
      { events, said: lines.join('\n'), log: { container: 'app', previous: true, lines } },
    ] satisfies Evidence[]) {
      const found = explain(evidence).evidence ?? [];
      expect(found.length).toBeLessThanOrEqual(20);
      expect(Buffer.byteLength(found.join('\n'))).toBeLessThanOrEqual(2_048);
      expect(found.length).toBeGreaterThan(0);
    }
    const log = { container: 'app', previous: true, lines };
    expect(explain({ log }).evidence?.at(-1)).toContain('49 ');
  });

  test.each(CAUSE_CODES)('%s has an owner and says what to do', (code) => {
    expect(ACTIONS[code].length).toBeGreaterThan(0);
    expect(['app', 'config', 'platform', 'policy', 'unknown']).toContain(ownerOf(code));
    const cause = explain({ seen: { code, sentence: 'As it was seen.' } });
    expect(cause).toMatchObject({ code, sentence: 'As it was seen.', actions: ACTIONS[code] });
  });
});
