import { describe, expect, it } from 'vitest';
import type { EnvironmentFacts, ServiceFacts } from '../../../src/domain/check/facts.ts';
import { parseManifests } from '../../../src/adapters/helmfile/manifests.ts';
import { apiVersionsOf, checkServed } from '../../../src/domain/check/served.ts';
import { checkServices } from '../../../src/domain/check/services.ts';
import { checkVersions, versionKeysOf } from '../../../src/domain/check/versions.ts';
import { notesInWords } from '../../../src/domain/import/note.ts';

const service = (name: string, other: Partial<ServiceFacts> = {}): ServiceFacts => ({
  ...{ name, source: 'helmfile.yaml.gotmpl', missing: [], readsAnyVersion: false, variables: [] },
  versionKeys: new Set([name]),
  settings: { historyMax: 10, createNamespace: false, wait: true },
  ...other,
});

const environment = (
  name: string,
  services: readonly ServiceFacts[],
  unstable: readonly string[] = [],
): EnvironmentFacts => ({ environment: name, services, unstable: new Set(unstable) });

const reads = (...keys: string[]) => ({ versionKeys: new Set(keys) });

describe('the services of an environment', () => {
  const said = (...args: Parameters<typeof environment>) =>
    checkServices(environment(...args)).map(({ kind, file, text }) => `${kind}: ${file}: ${text}`);

  it('are fine where nothing is wrong', () => {
    expect(said('qa', [service('api')])).toEqual([]);
  });

  it('are wrong without their files and charts, and surprise where they differ each time', () => {
    const broken = service('api', { missing: ['values/api.yaml'], chartFault: 'No chart.' });
    expect(said('qa', [broken], ['api'])).toEqual([
      'wrong already: values/api.yaml: is not there, though api needs it',
      'wrong already: helmfile.yaml.gotmpl: No chart.',
      'worth knowing: helmfile.yaml.gotmpl: api is never evaluated alike twice, so each release changes it',
    ]);
  });

  it.each([
    [{ historyMax: 3 }, /historyMax is below 10/],
    [{ historyMax: 0 }, undefined],
    [{ createNamespace: undefined }, /createNamespace is on/],
    [{ createNamespace: true }, /createNamespace is on/],
    [{ cleanupOnFail: true }, /cleanupOnFail removes/],
    [{ wait: false }, /wait is not on/],
    [{ wait: undefined }, /wait is not on/],
    [{}, undefined],
  ])('surprise by the setting %j: %s', (setting, expected) => {
    const settings = { createNamespace: false, wait: true, ...setting };
    const notes = said('qa', [service('api', { settings })]);
    expect(notes).toEqual(expected ? [expect.stringMatching(expected)] : []);
  });

  it('are named where a setting is not that of all', () => {
    const hasty = service('web', { settings: { createNamespace: false, wait: false } });
    expect(said('qa', [service('api'), hasty])).toEqual([expect.stringMatching(/ \(web\)$/)]);
  });
});

describe('a versions.yaml', () => {
  const check = (keys: readonly string[], ...environments: EnvironmentFacts[]) =>
    notesInWords(
      checkVersions({
        file: 'versions.yaml',
        keys: keys.map((key, at) => ({ key, line: at + 2 })),
        environments,
      }),
    ).slice(1);

  it('has a key that nobody reads, in none of the environments that share it', () => {
    const qa = environment('cs-qa', [service('api')]);
    const wcs = environment('wcs-qa', [service('web')]);
    expect(check(['api', 'web', 'old'], qa, wcs)).toEqual([
      'Wrong already:',
      '  versions.yaml:4: no service reads the version key old (cs-qa, wcs-qa)',
    ]);
  });

  it('lacks a key that is read, once for all that read it', () => {
    const qa = environment('cs-qa', [service('web', reads('web', 'api'))]);
    const wcs = environment('wcs-qa', [service('web', reads('api'))]);
    expect(check(['web'], qa, wcs)).toEqual([
      'Wrong already:',
      '  versions.yaml: web reads the version key api, which is not there (cs-qa, wcs-qa)',
    ]);
  });

  it('may be read by who does not say what', () => {
    const any = service('api', { ...reads(), readsAnyVersion: true });
    expect(check(['api', 'old'], environment('qa', [any]))).toEqual([
      'Worth knowing:',
      '  versions.yaml:3: no service names the version key old (qa)',
    ]);
  });

  it('says nothing of a service that reads none', () => {
    expect(check([], environment('qa', [service('policies', reads())]))).toEqual([
      'Worth knowing:',
      '  versions.yaml: policies has no version here (qa)',
    ]);
  });
});

it.each([
  ['its own key', 'api', ['api', 'audit'], []],
  ['the only key that it names', 'extracts', ['audit'], [['extracts', 'audit']]],
  ['no key, where several are named', 'extracts', ['audit', 'api'], []],
  ['no key that is not there', 'extracts', ['gone'], []],
])('a service is driven by %s', (_what, name, keys, expected) => {
  const known = new Set(['api', 'audit']);
  expect([...versionKeysOf([service(name, reads(...keys))], known)]).toEqual(expected);
});

describe('what a cluster serves', () => {
  const resource = (apiVersion: string, kind: string, more = '') =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x }\n${more}`;
  const check = (rendered: string[], deployed: string[], served: string[]) => {
    const manifests = (texts: string[]) => parseManifests(texts.join('\n---\n'), 'qa');
    const one = { name: 'api', source: 'helmfile.yaml' };
    const services = [{ ...one, rendered: manifests(rendered), deployed: manifests(deployed) }];
    expect(apiVersionsOf(services).has('v1')).toBe(true);
    return checkServed(services, new Set(served), 'qa').map(({ kind, text }) => `${kind}: ${text}`);
  };

  it('is compared with what is rendered, and with what Helm deployed', () => {
    const wanted = [resource('v1', 'Service'), resource('policy/v1beta1', 'PodSecurityPolicy')];
    const left = [...wanted, resource('extensions/v1beta1', 'Ingress')];
    expect(check(wanted, left, ['v1 Service', 'policy/v1beta1 PodDisruptionBudget'])).toEqual([
      'wrong already: api has PodSecurityPolicy (policy/v1beta1), which the cluster does not serve',
      'wrong already: api was deployed with Ingress (extensions/v1beta1), which the cluster no longer serves: Helm cannot upgrade it',
    ]);
  });

  it('may lack what the service itself defines', () => {
    const definition = resource(
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      'spec: { group: example.org }',
    );
    const wanted = [resource('v1', 'Service'), definition, resource('example.org/v1', 'Thing')];
    const served = ['v1 Service', 'apiextensions.k8s.io/v1 CustomResourceDefinition'];
    expect(check(wanted, [], served)).toEqual([]);
  });
});
