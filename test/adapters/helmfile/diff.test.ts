import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffService } from '../../../src/adapters/helmfile/diff.ts';
import { joinDiffs } from '../../../src/domain/diff/bound.ts';
import { renderPlanDiff } from '../../../src/domain/diff/render.ts';
import type { ResourceDiff } from '../../../src/domain/diff/plan-diff.ts';
import { startChartRenderer, type ChartRenderer } from '../../support/render-chart.ts';

let chart: ChartRenderer;
let live: string;
beforeAll(async () => {
  chart = await startChartRenderer('stateful-service');
  live = await chart.render({});
});
afterAll(() => chart.close());

const options = { service: 'api', namespace: 'cs-dev', redact: (text: string) => text };

async function diffWith(values: unknown): Promise<ResourceDiff[]> {
  return diffService(await chart.render(values), live, options).resources;
}

const titles = (resources: readonly ResourceDiff[]) =>
  resources.map(({ change, kind, name }) => `${change} ${kind}/${name}`);

describe('what helm renders of a real chart', () => {
  test('is equal to itself, also with its documents in another order', async () => {
    expect(await diffWith({})).toEqual([]);
    const reversed = live
      .split(/^---\n/m)
      .reverse()
      .join('---\n');
    expect(diffService(reversed, live, options).resources).toEqual([]);
  });

  test('differs in the image and the labels after a version bump', async () => {
    const resources = await diffWith({ 'generic-service': { version: '1.0.1' } });
    expect(titles(resources)).toEqual([
      'changed Service/api',
      'changed Deployment/api',
      'changed Job/api-migrate',
    ]);
    expect(resources[0]).toMatchObject({ noise: true, namespace: 'cs-dev' });
    expect(resources[1]?.noise).toBeUndefined();
    expect(resources[1]?.origin).toMatch(/generic-service\/templates\/deployment.yaml$/);
    expect(resources[1]?.fields).toEqual([
      {
        pointer: '/metadata/labels/app.kubernetes.io~1version',
        ...{ before: '1.0.0', after: '1.0.1', noise: true },
      },
      {
        pointer: '/spec/template/metadata/labels/app.kubernetes.io~1version',
        ...{ before: '1.0.0', after: '1.0.1', noise: true },
      },
      {
        pointer: '/spec/template/spec/containers/app/image',
        ...{ before: 'registry.example/api:1.0.0', after: 'registry.example/api:1.0.1' },
      },
    ]);
  });

  test('is folded where only the chart moved', async () => {
    const rendered = await chart.renderVersion('1.1.0', {});
    const { resources } = diffService(rendered, live, options);
    expect(titles(resources)).toEqual(['changed ConfigMap/api', 'changed Secret/api']);
    expect(resources.every(({ noise }) => noise)).toBe(true);
    const text = renderPlanDiff(joinDiffs([{ service: 'api', resources }]));
    expect(text).toMatchInlineSnapshot(`
      "--- api ConfigMap/api
      +++ api ConfigMap/api (changed)
      # folded: /metadata/labels/helm.sh~1chart

      --- api Secret/api
      +++ api Secret/api (changed)
      # folded: /metadata/labels/helm.sh~1chart
      "
    `);
  });

  test('shows an added variable as one change', async () => {
    const before = await chart.render({ 'generic-service': { env: { A: '1', C: '3' } } });
    const after = await chart.render({ 'generic-service': { env: { A: '1', B: 'no', C: '3' } } });
    const { resources } = diffService(after, before, options);
    expect(resources.map(({ fields }) => fields)).toEqual([
      [
        {
          pointer: '/spec/template/spec/containers/app/env/B',
          after: { name: 'B', value: 'no' },
        },
      ],
    ]);
    expect(resources[0]?.text).toMatchInlineSnapshot(`
      "@@ -32,6 +32,8 @@
               env:
               - name: A
                 value: "1"
      +        - name: B
      +          value: "no"
               - name: C
                 value: "3"
               image: registry.example/api:1.0.0"
    `);
  });

  test('shows only the lines that differ of a long setting', async () => {
    const [configMap, statefulSet] = await diffWith({ settings: 'log:\n  level: debug\n' });
    expect(configMap?.text).toMatchInlineSnapshot(`
      "@@ -7,4 +7,4 @@
       data:
         settings.yaml: |
           log:
      -      level: info
      +      level: debug"
    `);
    expect(statefulSet).toMatchObject({ kind: 'StatefulSet', noise: true });
  });

  test('tells that a Secret changed, and never to what', async () => {
    const rendered = await chart.render({ password: 'battery-staple' });
    const { resources } = diffService(rendered, live, options);
    expect(titles(resources)).toEqual(['changed Secret/api', 'changed StatefulSet/api-db']);
    expect(resources[0]).toMatchObject({
      hidden: true,
      fields: [
        { pointer: '/data/password', before: '(hidden)', after: '(hidden)', hidden: true },
        { pointer: '/stringData/url', before: '(hidden)', after: '(hidden)', hidden: true },
      ],
    });
    expect(resources[0]?.text).toContain('-  password: (hidden)\n+  password: changed (hidden)\n');
    // The chart writes the password on a command line, too.
    expect(resources[1]?.fields).toEqual([
      {
        pointer: '/spec/template/spec/containers/db/args/0',
        ...{ before: '(hidden)', after: '(hidden)', hidden: true },
      },
    ]);
    const all = JSON.stringify(resources);
    for (const secret of ['correct-horse', 'battery-staple']) {
      expect(all).not.toContain(secret);
      expect(all).not.toContain(Buffer.from(secret).toString('base64'));
    }
  });

  test('hides what the redactor masks', async () => {
    const rendered = await chart.render({ 'generic-service': { env: { TOKEN: 'hunter-two' } } });
    const redact = (text: string) => text.replaceAll('hunter-two', '‹masked›');
    const [resource] = diffService(rendered, live, { ...options, redact }).resources;
    expect(resource).toMatchObject({ hidden: true });
    expect(resource?.fields).toEqual([
      {
        pointer: '/spec/template/spec/containers/app/env',
        after: [{ name: 'TOKEN', value: '(hidden)' }],
        hidden: true,
      },
    ]);
    expect(resource?.text).toContain('+          value: (hidden)');
  });

  test('hides what a secret was before it was rotated, though nobody knows that any more', async () => {
    const withToken = (token: string) =>
      chart.render({ 'generic-service': { env: { TOKEN: token, COPY: token, MODE: 'fast' } } });
    const before = await withToken('the-old-one');
    const after = await withToken('hunter-two');
    const redact = (text: string) => text.replaceAll('hunter-two', '‹masked›');
    const { resources } = diffService(after, before, { ...options, redact });
    expect(resources.map(({ hidden }) => hidden)).toEqual([true]);
    expect(JSON.stringify(resources)).not.toContain('the-old-one');
    const taken = diffService(before, after, { ...options, redact }).resources;
    expect(JSON.stringify(taken)).not.toContain('the-old-one');
  });

  test('names what cannot be undone or will be refused', async () => {
    const resources = await diffWith({
      storage: false,
      templateLabels: { 'helm.sh/chart': 'stateful-service-1.0.0' },
    });
    expect(resources.map(({ kind, change, risk }) => ({ kind, change, risk }))).toEqual([
      { kind: 'StatefulSet', change: 'changed', risk: 'immutable' },
      { kind: 'PersistentVolumeClaim', change: 'removed', risk: 'data-loss' },
    ]);
    // A label of no consequence elsewhere; here the API server refuses it.
    expect(resources[0]?.noise).toBeUndefined();
  });

  test('is removed whole at an uninstall, and added whole at the first install', () => {
    const uninstall = diffService('', live, options).resources;
    expect(uninstall.map(({ kind, change, risk }) => `${change} ${kind} ${risk ?? '-'}`)).toEqual([
      'removed ConfigMap removed',
      'removed Secret removed',
      'removed Service removed',
      'removed Deployment removed',
      'removed StatefulSet removed',
      'removed Job -',
      'removed PersistentVolumeClaim data-loss',
    ]);
    const install = diffService(live, '', options).resources;
    expect(install.every(({ change, risk }) => change === 'added' && !risk)).toBe(true);
    expect(install[1]?.text).toMatchInlineSnapshot(`
      "@@ -0,0 +1,10 @@
      +apiVersion: v1
      +kind: Secret
      +metadata:
      +  name: api
      +  labels:
      +    helm.sh/chart: stateful-service-1.0.0
      +data:
      +  password: (hidden)
      +stringData:
      +  url: (hidden)"
    `);
    expect(JSON.stringify([install, uninstall])).not.toContain('correct-horse');
  });
});

describe('whatever a Secret holds,', () => {
  const secret = fc.string({ minLength: 8, maxLength: 40 }).map((text) => `s3cr3t${text}`);

  test('its value is nowhere in the diff, also where the chart repeats it', () => {
    fc.assert(
      fc.property(secret, secret, fc.boolean(), (before, after, inData) => {
        const manifest = (value: string) =>
          [
            {
              ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } },
              ...(inData
                ? { data: { key: Buffer.from(value).toString('base64') } }
                : { stringData: { key: value } }),
            },
            {
              ...{ apiVersion: 'v1', kind: 'ConfigMap' },
              metadata: { name: 'a', annotations: { note: `with ${value}` } },
              data: { env: `first\nPASSWORD=${value}\nlast`, plain: value, changed: value.length },
            },
          ]
            .map((resource) => `---\n${JSON.stringify(resource)}\n`)
            .join('');
        const diff = diffService(manifest(after), manifest(before), options);
        const all = [JSON.stringify(diff), renderPlanDiff(joinDiffs([diff]))].join('\n');
        for (const value of [before, after]) {
          expect(all).not.toContain(value);
          expect(all).not.toContain(JSON.stringify(value).slice(1, -1));
          expect(all).not.toContain(Buffer.from(value).toString('base64'));
        }
      }),
      { numRuns: 300 },
    );
  });
});
