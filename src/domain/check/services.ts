import { groupBy } from '../group-by.ts';
import type { Note } from '../import/note.ts';
import type { EnvironmentFacts, HelmSettings, ServiceFacts } from './facts.ts';

/** What is wrong with the services of an environment, and what may surprise about them. */
export function checkServices({ environment, services, unstable }: EnvironmentFacts): Note[] {
  const environments = [environment];
  const note = (kind: Note['kind'], file: string, text: string): Note => ({
    ...{ kind, file, line: 0, text, environments },
  });
  return [
    ...services.flatMap(({ name, source, missing, chartFault }) => [
      ...missing.map((path) =>
        note('wrong already', path, `is not there, though ${name} needs it`),
      ),
      ...(chartFault === undefined ? [] : [note('wrong already', source, chartFault)]),
    ]),
    ...services
      .filter(({ name }) => unstable.has(name))
      .map(({ name, source }) =>
        note(
          'worth knowing',
          source,
          `${name} is never evaluated alike twice, so each release changes it`,
        ),
      ),
    ...surprisingSettings(services).map(({ source, text }) => note('worth knowing', source, text)),
  ];
}

// What Helm keeps where nobody says it.
const HISTORY_MIN = 10;

const SETTINGS: readonly { text: string; surprises: (settings: HelmSettings) => boolean }[] = [
  {
    text: `historyMax is below ${HISTORY_MIN}: Helm soon forgets what a rollback needs`,
    surprises: ({ historyMax: max }) => typeof max === 'number' && max > 0 && max < HISTORY_MIN,
  },
  {
    text: 'cleanupOnFail removes what a failed upgrade made, and with it the evidence',
    surprises: ({ cleanupOnFail }) => cleanupOnFail === true,
  },
  {
    text: 'wait is not on: Helm calls deployed what does not run yet, and only Slipway waits for it',
    // helmfile says false also where nobody does.
    surprises: ({ wait }) => wait !== true,
  },
  {
    text: 'createNamespace is on, as helmfile has it by default: a mistyped namespace would be made',
    surprises: ({ createNamespace }) => createNamespace !== false,
  },
];

function surprisingSettings(services: readonly ServiceFacts[]): { source: string; text: string }[] {
  return [...groupBy(services, ({ source }) => source)].flatMap(([source, own]) =>
    SETTINGS.flatMap(({ text, surprises }) => {
      const names = own.filter(({ settings }) => surprises(settings)).map(({ name }) => name);
      if (names.length === 0) return [];
      return [
        { source, text: names.length === own.length ? text : `${text} (${names.join(', ')})` },
      ];
    }),
  );
}
