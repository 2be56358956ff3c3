import { expect, test } from 'vitest';
import { laneDetails, releaseDetails } from '../../workflows/details.ts';
import { deploymentRequest, releaseInput, releaseTarget } from '../support/requests.ts';

/** What Temporal's UI says of what does not move. */

test('a release says of each environment how it ended, where it is, or what it waits for', () => {
  const targets = [
    releaseTarget('cs-dev'),
    releaseTarget('cs-qa', ['cs-dev']),
    releaseTarget('wcs-qa', ['cs-dev', 'cs-qa']),
  ];
  const end = { deploymentId: 'dep_cs-dev', environment: 'cs-dev', phase: 'succeeded' } as const;
  const submitted = new Set(['dep_cs-dev', 'dep_cs-qa']);
  const ends = new Map([['dep_cs-dev', end]]);
  expect(releaseDetails(releaseInput(), 'Bump', targets, { ends, submitted })).toBe(
    [
      '**deployments** aaaaaaaa "Bump"',
      '',
      '- **cs-dev**: succeeded',
      '- **cs-qa**: under way, or queued in lane/notprod/cs-qa',
      '- **wcs-qa**: waits for cs-qa',
    ].join('\n'),
  );
});

test('a lane says what it runs, what waits in which order, and its own trouble', () => {
  const running = deploymentRequest({ deploymentNumber: 12, releaseNumber: 4 });
  const waiting = [deploymentRequest({ deploymentNumber: 13, releaseNumber: 5 })];
  expect(laneDetails(running, waiting)).toBe(
    'Runs deployment 12 of release #4 (aaaaaaaa).\n1. waits: deployment 13 of release #5 (aaaaaaaa)',
  );
  expect(laneDetails(undefined, waiting, 'Waits to be put in order: git is away.')).toBe(
    'Nothing runs.\n1. waits: deployment 13 of release #5 (aaaaaaaa)\n\nWaits to be put in order: git is away.',
  );
});
