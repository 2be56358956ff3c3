import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import {
  checkDescription,
  parseChartRepository,
  parseEnvironment,
  parseService,
  type RepositoryDescription,
} from '../../src/domain/init/description.ts';
import { repositoryFiles } from '../../src/domain/init/repository-files.ts';

const DESCRIPTION: RepositoryDescription = {
  chartRepositories: [{ name: 'charts', url: 'https://charts.example.org' }],
  services: [{ name: 'example-api', version: '2.4.1', chart: 'charts/api', range: '^1.0.0' }],
  environments: [
    { name: 'cs-qa', folder: 'qa', cluster: 'notprod' },
    { name: 'wcs-qa', folder: 'qa', cluster: 'notprod' },
  ],
  clusters: [{ name: 'notprod', server: 'https://kube.example.org' }],
  url: 'https://git.example.org/deployments.git',
  branch: 'main',
  versionValue: ['image', 'tag'],
};

describe('a new repository', () => {
  it('has one versions.yaml and one set of values for environments that share a folder', () => {
    expect([...repositoryFiles(DESCRIPTION).keys()]).toEqual([
      'README.md',
      '.gitignore',
      'helmfile.yaml.gotmpl',
      'charts.yaml',
      'environments/qa/versions.yaml',
      'environments/qa/values/example-api.yaml.gotmpl',
      'environments/qa/cs-qa.yaml',
      'environments/qa/wcs-qa.yaml',
    ]);
  });

  it('gives each chart the version where the chart wants it', () => {
    const versionValue = ['generic-service', 'version'];
    const files = repositoryFiles({ ...DESCRIPTION, versionValue });
    expect(files.get('environments/qa/values/example-api.yaml.gotmpl')).toContain(
      'generic-service:\n  version: {{ index .Values.versions "example-api" | quote }}\n',
    );
  });

  it('names a registry as helmfile wants it', () => {
    const chartRepositories = [parseChartRepository('own=oci://registry.example.org/charts')];
    const files = repositoryFiles({ ...DESCRIPTION, chartRepositories });
    expect(files.get('helmfile.yaml.gotmpl')).toContain(
      '  - name: own\n    url: registry.example.org/charts\n    oci: true\n',
    );
  });

  test('keeps every version as the text that it is, whatever it looks like', () => {
    const version = fc.oneof(
      fc.stringMatching(/^\w[\w.+-]{0,20}$/),
      fc.constantFrom('3.10', '1e3', 'E6', 'e-5', '0x1F', 'no', 'true', 'null', '1_000', '12:30'),
      fc.constantFrom('2026-01-01', '.5', '0o17', '0b1', '1:2:3', 'NaN', '1.'),
    );
    fc.assert(
      fc.property(version, (text) => {
        const services = DESCRIPTION.services.map((one) => ({ ...one, version: text }));
        const written = repositoryFiles({ ...DESCRIPTION, services }).get(
          'environments/qa/versions.yaml',
        );
        for (const version of ['1.1', '1.2'] as const) {
          expect(parse(written ?? '', { version })).toEqual({ versions: { 'example-api': text } });
        }
      }),
    );
  });
});

describe('what is asked for is checked', () => {
  it.each<[text: string, message: RegExp]>([
    ['example-api=charts/api@^1', /example-api=charts\/api@\^1 has no ":"/],
    ['example-api:1.0.0', /has no "=": write it like example-api:2\.4\.1=charts/],
    ['example-api:1.0.0=charts/api', /has no "@"/],
    ['Example:1.0.0=charts/api@^1', /"Example" is no name of a service: at most 53/],
    [`${'a'.repeat(54)}:1=charts/api@^1`, /at most 53/],
    ['api:1 0=charts/api@^1', /"1 0" is no version/],
    ['api:1.0.0=api@^1', /"api" is no chart/],
    ['api:1.0.0=charts/api@one', /"one" is no range of chart versions/],
  ])('a service: %s', (text, message) => {
    expect(() => parseService(text)).toThrow(message);
  });

  it('an environment is in its own folder and on the only cluster, unless it says otherwise', () => {
    expect(parseEnvironment('cs-qa', ['notprod'])).toEqual({
      name: 'cs-qa',
      folder: 'cs-qa',
      cluster: 'notprod',
    });
    expect(parseEnvironment('cs-qa=qa@prod', ['notprod', 'prod'])).toEqual({
      name: 'cs-qa',
      folder: 'qa',
      cluster: 'prod',
    });
    expect(() => parseEnvironment('cs-qa', ['notprod', 'prod'])).toThrow(/names no cluster/);
    expect(() => parseEnvironment('cs-qa=../x', ['notprod'])).toThrow(/no name of a folder/);
  });

  it('names that are there twice or not at all', () => {
    const [service] = DESCRIPTION.services;
    if (!service) throw new Error('the description has a service');
    expect(() => {
      checkDescription({ ...DESCRIPTION, services: [service, service] });
    }).toThrow('There are two of the service "example-api".');
    expect(() => {
      checkDescription({ ...DESCRIPTION, chartRepositories: [] });
    }).toThrow('There is no chart repository: name one.');
    const services = [{ ...service, chart: 'other/api' }];
    expect(() => {
      checkDescription({ ...DESCRIPTION, services });
    }).toThrow('The chart repository of example-api, "other", is not there; known: charts.');
  });
});
