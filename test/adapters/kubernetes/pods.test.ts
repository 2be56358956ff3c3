import { ApiException, V1ObjectMeta, V1Pod } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { openKubernetes } from '../../../src/adapters/kubernetes/client.ts';
import { findOwnPod, isPodGone } from '../../../src/adapters/kubernetes/pods.ts';

const pod = { namespace: 'slipway', name: 'worker-1', uid: 'a-uid' };
const env = { POD_NAMESPACE: 'slipway', POD_NAME: 'worker-1', POD_UID: 'a-uid' };

test.each([
  ['there is none of its name', 404, true],
  ['another has its name', 'another-uid', true],
  ['it is there', 'a-uid', false],
  ['it may not be read', 403, false],
  ['the API server is unwell', 500, false],
])('a pod is gone for certain or not: %s', async (_what, answer, gone) => {
  expect(await isPodGone(cluster(answer), pod)).toBe(gone);
});

test('a pod is not gone while the API server is away', async () => {
  const api = openKubernetes({ server: 'https://127.0.0.1:1', namespace: 'cs-dev' });
  expect(await isPodGone(api, pod)).toBe(false);
});

test("the worker's own pod is one that the cluster knows, by whichever credentials may read it", async () => {
  expect(await findOwnPod(env, [cluster(403), cluster('a-uid')])).toEqual(pod);
});

test.each([
  ['a cluster that does not know it', 404, env],
  ['a cluster with another of that name', 'another-uid', env],
  ['no pod at all', 'a-uid', {}],
])('a worker has no pod with %s', async (_what, answer, variables) => {
  expect(await findOwnPod(variables, [cluster(answer)])).toBeUndefined();
});

/** A cluster that says this of any pod: the uid of the one that is there, or an error's status. */
function cluster(answer: string | number) {
  const found = new V1Pod();
  found.metadata = new V1ObjectMeta();
  if (typeof answer === 'string') found.metadata.uid = answer;
  return {
    core: {
      readNamespacedPod: () =>
        typeof answer === 'string'
          ? Promise.resolve(found)
          : Promise.reject(new ApiException(answer, 'refused', undefined, {})),
    },
  };
}
