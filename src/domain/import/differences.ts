import type { ImportedEnvironment } from './drone-environment.ts';
import type { Note } from './note.ts';

/**
 * What becomes different for people who release these environments with Slipway.
 *
 * @param file where it will stand
 */
export function differences(environments: readonly ImportedEnvironment[], file: string): Note[] {
  const note = (text: string): Note => ({ kind: 'behaves differently', file, line: 0, text });
  const notes = environments
    .filter(({ after }) => after.length > 0)
    .map(({ name, after }) =>
      note(
        `${name} waits until ${after.join(', ')} is healthy, and is skipped where that fails; a script is green when its last command is`,
      ),
    );
  const restarts = [...new Set(environments.flatMap(({ restart }) => restart))];
  if (restarts.length > 0) {
    notes.push(
      note(`${restarts.join(', ')} restarts after an apply that changed something, not after each`),
    );
  }
  if (environments.length > 0) {
    notes.push(
      note(
        'only environments whose files a merge changes are released, and of them only what changed',
      ),
      note('a chart that moved within its range waits for the next such change (chartRanges)'),
    );
  }
  return notes;
}
