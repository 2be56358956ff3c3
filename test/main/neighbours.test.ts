import { expect, test } from 'vitest';
import { findNeighbours, isSafeGit } from '../../src/main/neighbours.ts';
import { createFakeMachine, putOnPath } from '../support/fake-tools.ts';

test.each([
  ['2.39.3', false],
  ['2.39.4', true],
  ['2.39.5', true],
  ['2.40.1', false],
  ['2.45.0', false],
  ['2.45.1', true],
  ['2.51.0', true],
  ['unknown', false],
])('git %s is safe with repositories of others: %s', (version, safe) => {
  expect(isSafeGit(version)).toBe(safe);
});

test('Go and Python are asked for only while a tool is missing', async () => {
  const machine = await createFakeMachine();
  await putOnPath(machine, 'git', 'echo git version 2.45.1');
  const env = { ...machine.context.env, PATH: `${machine.folder}/bin` };
  const verdicts = async (toolsComplete: boolean) => {
    const findings = await findNeighbours(env, { toolsComplete });
    return findings.slice(1).map(({ name, ok, remedy }) => `${name} ${ok}: ${remedy ?? ''}`);
  };
  expect(await verdicts(true)).toEqual(['git true: ', 'go true: ', 'python3 with pip true: ']);
  expect(await verdicts(false)).toEqual([
    'git true: ',
    'go false: install Go 1.26.6 or newer and put it on PATH',
    'python3 with pip false: install Python 3 with pip (Debian: the packages python3 and python3-pip)',
  ]);
  await machine.remove();
});
