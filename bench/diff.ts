import { diffService } from '../src/adapters/helmfile/diff.ts';
import { parseManifests } from '../src/adapters/helmfile/manifests.ts';
import { joinDiffs } from '../src/domain/diff/bound.ts';
import { compareManifests } from '../src/domain/diff/compare.ts';

/** Measures the comparing of 100 services of 5 resources: `node bench/diff.ts`. */

const SERVICES = 100;
const ROUNDS = 7;
const names = Array.from({ length: SERVICES }, (_, index) => `service-${index}`);
const live = names.map((name) => manifest(name, '1.0.0'));
const bumped = names.map((name) => manifest(name, '1.0.1'));
const options = { namespace: 'cs-dev', redact: (text: string) => text };

const parsedLive = live.map((text) => parseManifests(text));
const parsedBumped = bumped.map((text) => parseManifests(text));
const again = live.map((text) => parseManifests(text));

measure('compared, nothing differs', () =>
  parsedLive.map((resources, index) => compareManifests(again[index] ?? [], resources)),
);
measure('compared, every service differs', () =>
  parsedLive.map((resources, index) => compareManifests(parsedBumped[index] ?? [], resources)),
);
measure('from text, nothing differs but the order', () =>
  names.map((service, index) => {
    const text = live[index] ?? '';
    const reordered = text
      .split(/^---\n/m)
      .reverse()
      .join('---\n');
    return diffService(reordered, text, { service, ...options });
  }),
);
measure('from text to the joined diff, every service differs', () =>
  joinDiffs(
    names.map((service, index) =>
      diffService(bumped[index] ?? '', live[index] ?? '', { service, ...options }),
    ),
  ),
);

function measure(title: string, work: () => unknown): void {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  const median = times[Math.floor(ROUNDS / 2)] ?? 0;
  process.stdout.write(`${median.toFixed(1).padStart(8)} ms  ${title} (median of ${ROUNDS})\n`);
}

/** A Deployment with 20 variables, a Service, a ConfigMap, a Secret and an Ingress. */
function manifest(name: string, version: string): string {
  const labels = `{ app: ${name}, helm.sh/chart: generic-1.0.0, app.kubernetes.io/version: ${version} }`;
  const metadata = `metadata:\n  name: ${name}\n  labels: ${labels}\n`;
  const env = Array.from(
    { length: 20 },
    (_, index) =>
      `        - name: VARIABLE_${index}\n          value: "value ${index} of ${name}"\n`,
  ).join('');
  return [
    `apiVersion: v1\nkind: Service\n${metadata}spec:\n  selector: { app: ${name} }\n  ports:\n    - name: http\n      port: 80\n      targetPort: http\n`,
    `apiVersion: v1\nkind: ConfigMap\n${metadata}data:\n  settings.yaml: |\n    log:\n      level: info\n    name: ${name}\n`,
    `apiVersion: v1\nkind: Secret\n${metadata}stringData:\n  password: correct-horse-${name}\n`,
    `apiVersion: networking.k8s.io/v1\nkind: Ingress\n${metadata}spec:\n  rules:\n    - host: ${name}.example.org\n`,
    `apiVersion: apps/v1\nkind: Deployment\n${metadata}spec:\n  replicas: 2\n  selector:\n    matchLabels: { app: ${name} }\n` +
      `  template:\n    metadata:\n      labels: { app: ${name} }\n    spec:\n      containers:\n      - name: app\n` +
      `        image: registry.example/${name}:${version}\n        ports:\n        - containerPort: 8080\n        env:\n${env}`,
  ]
    .map((document, index) => `---\n# Source: ${name}/templates/${index}.yaml\n${document}`)
    .join('');
}
