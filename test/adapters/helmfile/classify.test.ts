import { describe, expect, it } from 'vitest';
import { helmfileError } from '../../../src/adapters/helmfile/classify.ts';

/** What Helm 4.3.1 and helmfile 1.8.0 print against Kubernetes 1.37, word for word. */
const HELM: [string, string, string][] = [
  [
    'cluster-unreachable',
    'a server that does not listen',
    'Error: kubernetes cluster unreachable: Get "https://127.0.0.1:1/version": dial tcp 127.0.0.1:1: connect: connection refused',
  ],
  [
    'cluster-unreachable',
    'a host that nobody knows',
    'Error: kubernetes cluster unreachable: Get "https://no-such-host.invalid/version": dial tcp: lookup no-such-host.invalid on 10.255.255.53:53: no such host',
  ],
  [
    'cluster-auth',
    'a wrong token',
    'Error: kubernetes cluster unreachable: the server has asked for the client to provide credentials',
  ],
  [
    'cluster-auth',
    'a server that cannot be verified',
    'Error: kubernetes cluster unreachable: Get "https://127.0.0.1:32759/version": tls: failed to verify certificate: x509: certificate signed by unknown authority',
  ],
  [
    'helm-locked',
    'another operation',
    'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress',
  ],
  [
    'chart-unresolved',
    'a lock file that is not of its chart',
    "Error: the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies with 'helm dependency update'",
  ],
  [
    'chart-unresolved',
    'a dependency from a repository that nobody added',
    "Error: no repository definition for @charts. Please add them via 'helm repo add'",
  ],
  [
    'values-missing',
    'a file below secrets whose key is missing',
    '[helm-secrets] Error while decrypting file: /data/attempts/a-Mvz9LF/tree/s.yaml\nError: plugin "secrets" exited with error',
  ],
  [
    'namespace-missing',
    'a missing namespace',
    'Error: create: failed to create: namespaces "nope" not found',
  ],
  [
    'rbac-forbidden',
    'a missing right',
    'Error: query: failed to query with labels: secrets is forbidden: User "system:serviceaccount:a:weak" cannot list resource "secrets" in API group "" in the namespace "a"',
  ],
  [
    'quota',
    'a quota',
    'Error: server-side apply failed for object q/svc /v1, Kind=Service: services "svc" is forbidden: exceeded quota: none, requested: services=1, used: services=0, limited: services=0',
  ],
  [
    'admission-denied',
    'an admission policy',
    `Error: server-side apply failed for object v/cm /v1, Kind=ConfigMap: configmaps "cm" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no cm here`,
  ],
  [
    'admission-denied',
    'the pod security standard',
    'Error: server-side apply failed for object v/p /v1, Kind=Pod: pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
  ],
  [
    'admission-denied',
    'an admission webhook',
    'Error: UPGRADE FAILED: server-side apply failed for object a/cm /v1, Kind=ConfigMap: admission webhook "policy.example.org" denied the request: no cm here',
  ],
  [
    // The control plane is not whole: that passes.
    'cluster-unreachable',
    'an admission webhook that is away',
    'Error: server-side apply failed for object q/cm /v1, Kind=ConfigMap: Internal error occurred: failed calling webhook "w.example.org": failed to call webhook: Post "https://127.0.0.1:1/x?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
  ],
  [
    'immutable-field',
    'an immutable field',
    `level=WARN msg="upgrade failed" name=dep error="server-side apply failed for object a/dep apps/v1, Kind=Deployment: Deployment.apps \\"dep\\" is invalid: spec.selector: Invalid value: {\\"matchLabels\\":{\\"a\\":\\"y\\"}}: field is immutable"
Error: UPGRADE FAILED: server-side apply failed for object a/dep apps/v1, Kind=Deployment: Deployment.apps "dep" is invalid: spec.selector: Invalid value: {"matchLabels":{"a":"y"}}: field is immutable`,
  ],
  [
    'template-error',
    "a mistake in a chart's template",
    `Error: bad/templates/x.yaml:1:13
  executing "bad/templates/x.yaml" at <.Values.x.y>:
    nil pointer evaluating interface {}.y
Use --debug flag to render out invalid YAML`,
  ],
  [
    'template-error',
    'a chart that renders no YAML',
    'Error: YAML parse error on badyaml/templates/x.yaml: error converting YAML to JSON: yaml: mapping values are not allowed in this context',
  ],
  [
    'template-error',
    'a value that the chart requires',
    'Error: execution error at (req/templates/x.yaml:4:14): a needs a value',
  ],
  [
    'template-error',
    'a kind that the cluster does not know',
    `Error: unable to build kubernetes objects from release manifest: resource mapping not found for name: "cm" namespace: "" from "": no matches for kind "Nope" in version "example.org/v1"
ensure CRDs are installed first`,
  ],
  [
    'chart-unresolved',
    'an unknown chart',
    `Error: chart "nope" matching  not found in charts index. (try 'helm repo update'): no chart name found`,
  ],
  [
    'chart-unresolved',
    'a range that nothing matches',
    `Error: chart "example-api" matching >=99 not found in charts index. (try 'helm repo update'): no chart version found for example-api->=99`,
  ],
  ['chart-unresolved', 'an unknown repository', 'Error: repo strange not found'],
  [
    'chart-repository-unreachable',
    'a chart repository that does not listen',
    'Error: looks like "http://127.0.0.1:1" is not a valid chart repository or cannot be reached: Get "http://127.0.0.1:1/index.yaml": dial tcp 127.0.0.1:1: connect: connection refused',
  ],
  [
    'chart-repository-unreachable',
    'an address without an index',
    'Error: looks like "http://127.0.0.1:35299/nothing" is not a valid chart repository or cannot be reached: failed to fetch http://127.0.0.1:35299/nothing/index.yaml : 404 Not Found',
  ],
  [
    'chart-repository-unreachable',
    'a chart registry that does not listen',
    'Error: failed to perform "FetchReference" on source: Get "https://127.0.0.1:1/v2/x/y/manifests/1.0.0": dial tcp 127.0.0.1:1: connect: connection refused',
  ],
];

const HELMFILE: [string, string, string][] = [
  [
    'template-error',
    'a value that is not there',
    'in ./helmfile.yaml.gotmpl: error during helmfile.yaml.gotmpl.part.0 parsing: template: stringTemplate:3:21: executing "stringTemplate" at <.Values.nope.deeper>: map has no entry for key "nope"',
  ],
  [
    'template-error',
    'a mistake of syntax',
    'in ./helmfile.yaml.gotmpl: error during helmfile.yaml.gotmpl.part.0 parsing: template: stringTemplate:2: missing value for if',
  ],
  [
    'template-error',
    'a file that is no YAML',
    `in ./helmfile.yaml.gotmpl: failed to read helmfile.yaml.gotmpl: reading document at index 1: yaml: line 1: did not find expected '-' indicator`,
  ],
  [
    'template-error',
    'a mistake in a values file',
    'in ./helmfile.yaml.gotmpl: failed to render values files "v.yaml.gotmpl": failed to render [v.yaml.gotmpl], because of template: stringTemplate:1:6: executing "stringTemplate" at <index .Values "b" "c">: error calling index: index of nil pointer',
  ],
  [
    'template-error',
    'an environment that is not declared',
    'err: no releases found that matches specified selector() and environment(nope), in any helmfile',
  ],
  [
    'values-missing',
    'a variable that is not configured',
    'in ./helmfile.yaml.gotmpl: error during helmfile.yaml.gotmpl.part.0 parsing: template: stringTemplate:3:12: executing "stringTemplate" at <requiredEnv "CHART_REPOSITORY_URL">: error calling requiredEnv: required env var `CHART_REPOSITORY_URL` is not set',
  ],
  [
    'values-missing',
    'a values file that is not there',
    'in ./helmfile.yaml.gotmpl: values file matching "nope.yaml" does not exist in "."',
  ],
];

describe.each([...HELM, ...HELMFILE])('%s', (code, what, text) => {
  it(`is read from ${what}`, () => {
    const error = helmfileError('applying', text);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^applying: ./);
    expect(error.message).not.toContain('no reason was given');
  });
});

describe.each(HELM)('%s', (code, what, text) => {
  it(`is read from ${what} in the frame that helmfile puts around helm's words`, () => {
    const error = helmfileError('applying', framed(text));
    expect(error.code).toBe(code);
    // What helm said stands there once.
    const said = text.split('\n').find((line) => line.startsWith('Error: ')) ?? text;
    expect(error.message.split(said.slice(0, 400))).toHaveLength(2);
    expect(error.message).not.toMatch(/COMBINED|ARGS|bytes\)/);
  });
});

it("an error in a chart's template names file, line and expression", () => {
  const text = HELM.find(([, what]) => what === "a mistake in a chart's template")?.[2] ?? '';
  expect(helmfileError('rendering', text).message).toBe(
    'rendering: Error: bad/templates/x.yaml:1:13 | executing "bad/templates/x.yaml" at <.Values.x.y>: | nil pointer evaluating interface {}.y',
  );
});

it('a value that the API server quotes whole is left out, and what it is about is not', () => {
  const pod = { Containers: [{ Env: [{ Name: 'A', Value: 'nobody-should-read-this' }] }] };
  const value = JSON.stringify({ Spec: pod, filler: 'x'.repeat(5_000) });
  const invalid = `Job.batch "j" is invalid: spec.template: Invalid value: ${value}: field is immutable`;
  const error = helmfileError('applying', framed(`Error: UPGRADE FAILED: ${invalid}`));
  expect(error.code).toBe('immutable-field');
  expect(error.message).toMatch(/spec\.template: Invalid value: …: field is immutable$/);
  expect(error.message).not.toContain('nobody-should-read-this');
});

it("helm's words come with the service that it was called for", () => {
  const text = framed('Error: validation: chart.metadata.version is required')
    .replace('failed processing release dep: ', '')
    .replace('1: upgrade (7 bytes)', '1: template (8 bytes)')
    .replace('2: --install (9 bytes)\n  3: dep', '2: dep');
  expect(helmfileError('rendering', text).message).toBe(
    'rendering: in ./helmfile.yaml.gotmpl: release "dep" | Error: validation: chart.metadata.version is required',
  );
});

it('what nobody knows is shown as it is, and is not tried again for ever', () => {
  expect(helmfileError('applying', 'something new')).toMatchObject({
    code: 'unknown',
    message: 'applying: something new',
  });
  expect(helmfileError('applying', '\n').message).toBe('applying: no reason was given');
});

/** Helmfile 1.8.0 around a helm that failed. */
function framed(stderr: string): string {
  const indented = stderr.replace(/^/gm, '  ');
  return `in ./helmfile.yaml.gotmpl: failed processing release dep: command "/tools/helm" exited with non-zero status:

PATH:
  /tools/helm

ARGS:
  0: /tools/helm (11 bytes)
  1: upgrade (7 bytes)
  2: --install (9 bytes)
  3: dep (3 bytes)

ERROR:
  exit status 1

EXIT STATUS
  1

STDERR:
${indented}

COMBINED OUTPUT:
  Release "dep" does not exist. Installing it now.
${indented}`;
}
