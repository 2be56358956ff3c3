import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Release } from '../../contract/api/release.ts';
import { isEnd } from '../../domain/phases.ts';
import type { Instance } from './instance.ts';
import { pushChange } from './push-change.ts';

/** What a chapter must come to, for the story to have gone well. */
interface Chapter {
  version: string;
  title: string;
  expected: Release['phase'];
}

const SERVICE = 'example-api';
const CHAPTERS: readonly Chapter[] = [
  { version: '2.4.2', title: 'a version bump', expected: 'succeeded' },
  { version: '2.5.0-missing', title: 'a version whose image does not exist', expected: 'failed' },
  { version: '2.5.1', title: 'the fix', expected: 'succeeded' },
];
const VERSIONS_FILE = 'environments/dev/versions.yaml';
const VERSIONS = fileURLToPath(
  new URL(`../../../templates/deployment-repository/${VERSIONS_FILE}`, import.meta.url),
);
const RELEASE_TIMEOUT_MS = 180_000;

/** The story as `--json` prints it. */
export interface StoryReport {
  releases: {
    commit: string;
    phase: string;
    deployments: {
      environment: string;
      phase: string;
      cause: string | null;
      image: string | null;
      durationMs: number | null;
    }[];
  }[];
}

/**
 * Pushes a bump, a version that cannot run, and its fix, and tells how each release goes. `asExpected`
 * is false when one ended otherwise than it should.
 */
export async function tellStory(
  instance: Instance,
  say: (line: string) => void,
): Promise<{ report: StoryReport; asExpected: boolean }> {
  const report: StoryReport = { releases: [] };
  let asExpected = true;
  for (const { version, title, expected } of CHAPTERS) {
    say('');
    const commit = await pushVersion(instance.repository.url, version);
    say(`pushed ${commit.slice(0, 8)}: ${title}, ${SERVICE} ${version}`);
    const release = await instance.api.untilEnded(commit, {
      timeoutMs: RELEASE_TIMEOUT_MS,
      onLook: tellPhases(say),
    });
    say(`  release ${release.number} ${release.phase}`);
    asExpected &&= release.phase === expected;
    report.releases.push(summary(release));
  }
  return { report, asExpected };
}

/** Changes one line of versions.yaml and pushes it, as a merged pull request would. */
export async function pushVersion(url: string, version: string): Promise<string> {
  const before = await readFile(VERSIONS, 'utf8');
  const line = new RegExp(`^(\\s+${SERVICE}: ).*$`, 'm');
  const { commit } = await pushChange({
    url,
    branch: 'main',
    message: `Bump ${SERVICE} to ${version}`,
    files: { [VERSIONS_FILE]: before.replace(line, `$1${version}`) },
  });
  return commit;
}

/** Says each phase of each environment once, as it comes. */
function tellPhases(say: (line: string) => void): (release: Release) => void {
  const told = new Map<string, string>();
  return (release) => {
    for (const { environment, phase, note, cause, durationMs } of release.deployments) {
      const why = cause?.sentence ?? (isEnd(phase) ? '' : note);
      const took = durationMs === null ? '' : ` after ${(durationMs / 1_000).toFixed(1)} s`;
      const line = `  ${environment.padEnd(8)} ${phase}${took}${why === '' ? '' : `: ${why}`}`;
      if (told.get(environment) === line) continue;
      told.set(environment, line);
      say(line);
    }
  };
}

function summary(release: Release): StoryReport['releases'][number] {
  return {
    commit: release.commit,
    phase: release.phase,
    deployments: release.deployments.map(({ environment, phase, cause, durationMs }) => ({
      environment,
      phase,
      cause: cause?.code ?? null,
      image: cause?.image ?? null,
      durationMs,
    })),
  };
}
