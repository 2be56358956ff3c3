import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareManifests, resourceOf } from '../../../src/domain/diff/compare.ts';
import { describeChange } from '../../../src/domain/diff/describe.ts';
import type { Resource } from '../../../src/domain/diff/resource.ts';
import { isImmutable, riskOf } from '../../../src/domain/diff/risk.ts';

function resource(id: string, content: Resource['content'] = {}): Resource {
  const [group = '', kind = '', name = ''] = id.split(' ');
  return { group, kind, namespace: 'cs-dev', name, content };
}

describe('resources that differ', () => {
  test('come in the order in which people read them', () => {
    const ids = [
      ...[' Namespace cs', 'apiextensions.k8s.io CustomResourceDefinition c', ' ServiceAccount a'],
      ...['rbac.authorization.k8s.io Role a', 'rbac.authorization.k8s.io RoleBinding a'],
      ...[' ConfigMap a', ' ConfigMap b', ' Secret a', ' Service a', 'apps Deployment a'],
      ...['apps StatefulSet a', 'apps DaemonSet a', 'batch Job a', 'batch CronJob a'],
      ...['networking.k8s.io Ingress a', 'autoscaling HorizontalPodAutoscaler a'],
      'policy PodDisruptionBudget a',
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(ids, { minLength: ids.length }), (shuffled) => {
        const changes = compareManifests(
          shuffled.map((id) => resource(id)),
          [],
        );
        const order = changes
          .map(resourceOf)
          .map(({ group, kind, name }) => [group, kind, name].join(' '));
        expect(order).toEqual(ids);
      }),
      { numRuns: 50 },
    );
  });

  test('are the same whatever the order of the resources', () => {
    const content = fc.record({ spec: fc.constantFrom('a', 'b', 'c') });
    const list = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), content), {
      selector: ([name]) => name,
    });
    const resources = list.map((items) =>
      items.map(([name, c]) => resource(` ConfigMap ${name}`, c)),
    );
    fc.assert(
      fc.property(resources, resources, (rendered, live) => {
        const changes = compareManifests(rendered, live);
        expect(compareManifests([...rendered].reverse(), [...live].reverse())).toEqual(changes);
        expect(compareManifests(rendered, [...rendered].reverse())).toEqual([]);
      }),
    );
  });

  test('are other resources where group or namespace differ, and the same in another version', () => {
    const one = resource('extensions Ingress a', { apiVersion: 'extensions/v1beta1' });
    const other = resource('networking.k8s.io Ingress a', { apiVersion: 'networking.k8s.io/v1' });
    expect(
      compareManifests([other], [one])
        .map(({ change }) => change)
        .sort(),
    ).toEqual(['added', 'removed']);
    const moved = { ...one, namespace: 'other' };
    expect(compareManifests([moved], [one])).toHaveLength(2);
    const newer = { ...one, content: { apiVersion: 'extensions/v1' } };
    expect(compareManifests([newer], [one])[0]).toMatchObject({
      change: 'changed',
      fields: [{ pointer: '/apiVersion' }],
    });
  });

  test('can stand twice in a manifest', () => {
    const twice = [resource(' ConfigMap a', { a: 1 }), resource(' ConfigMap a', { a: 2 })];
    expect(compareManifests(twice, twice)).toEqual([]);
    expect(compareManifests(twice, twice.slice(0, 1))).toMatchObject([{ change: 'added' }]);
  });
});

describe('the risk of a change', () => {
  test.each<[string, string, string, boolean]>([
    ['the selector of a Deployment', 'apps Deployment a', '/spec/selector/matchLabels/a', true],
    ['its replicas', 'apps Deployment a', '/spec/replicas', false],
    ['the claims of a StatefulSet', 'apps StatefulSet a', '/spec/volumeClaimTemplates/data', true],
    ['its template', 'apps StatefulSet a', '/spec/template/spec', false],
    ['the size of a claim', ' PersistentVolumeClaim a', '/spec/resources/requests/storage', false],
    ['the class of a claim', ' PersistentVolumeClaim a', '/spec/storageClassName', true],
    ['the template of a Job', 'batch Job a', '/spec/template/spec/containers/a/image', true],
    ['the role of a binding', 'rbac.authorization.k8s.io RoleBinding a', '/roleRef/name', true],
    ['something that only sounds alike', 'apps Deployment a', '/spec/selectorish', false],
    ['the same kind of another group', 'example.org Deployment a', '/spec/selector', false],
  ])('%s', (_title, id, pointer, refused) => {
    expect(isImmutable(resource(id), pointer)).toBe(refused);
  });

  test('data of what was declared immutable', () => {
    const sealed = resource(' ConfigMap a', { immutable: true });
    expect(isImmutable(sealed, '/data/key')).toBe(true);
    expect(isImmutable(sealed, '/metadata/labels/a')).toBe(false);
    expect(isImmutable(resource(' ConfigMap a'), '/data/key')).toBe(false);
  });

  const annotated = (annotations: Record<string, string>) =>
    resource(' PersistentVolumeClaim a', { metadata: { annotations } });
  test.each<[string, Resource, string | undefined]>([
    ['a claim takes its data along', resource(' PersistentVolumeClaim a'), 'data-loss'],
    [
      'a definition takes its resources along',
      resource('apiextensions.k8s.io CustomResourceDefinition a'),
      'data-loss',
    ],
    ['anything else goes', resource(' ConfigMap a'), 'removed'],
    [
      'Helm keeps what it was told to keep',
      annotated({ 'helm.sh/resource-policy': 'keep' }),
      undefined,
    ],
    ['a hook is not deleted', annotated({ 'helm.sh/hook': 'pre-install' }), undefined],
  ])('of a removal: %s', (_title, before, risk) => {
    expect(riskOf({ change: 'removed', before, fields: [] })).toBe(risk);
  });
});

describe('noise is', () => {
  const noiseOf = (before: Resource['content'], after: Resource['content']) => {
    const [change] = compareManifests(
      [resource('apps Deployment a', after)],
      [resource('apps Deployment a', before)],
    );
    const same = (text: string) => text;
    return change && describeChange(change, { value: same, name: same }).noise;
  };
  const labels = (map: Record<string, string>) => ({ metadata: { labels: map } });
  const annotations = (map: Record<string, string>) => ({ metadata: { annotations: map } });

  test.each<[string, Resource['content'], Resource['content'], true | undefined]>([
    [
      'the chart in a label',
      labels({ 'helm.sh/chart': 'a' }),
      labels({ 'helm.sh/chart': 'b' }),
      true,
    ],
    [
      'a checksum',
      annotations({ 'checksum/config': 'a' }),
      annotations({ 'checksum/config': 'b' }),
      true,
    ],
    ['a first checksum', { metadata: {} }, annotations({ 'checksum/config': 'b' }), true],
    ['not another label', labels({ team: 'a' }), labels({ team: 'b' }), undefined],
    [
      'not what comes with another label',
      { metadata: {} },
      labels({ 'helm.sh/chart': 'a', team: 'b' }),
      undefined,
    ],
    [
      'not a label that selects',
      { spec: { selector: { matchLabels: { 'helm.sh/chart': 'a' } } } },
      { spec: { selector: { matchLabels: { 'helm.sh/chart': 'b' } } } },
      undefined,
    ],
  ])('%s', (_title, before, after, noise) => {
    expect(noiseOf(before, after)).toBe(noise);
  });
});
