import { Type } from 'typebox';
import { problemSchema } from '../contract/api/problem.ts';
import {
  createReleaseSchema,
  releasePageSchema,
  releaseSchema,
  rerunReleaseSchema,
  type Release,
} from '../contract/api/release.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import { END_PHASES, isEnd, RELEASE_PHASES } from '../domain/phases.ts';
import type { AppDependencies } from './dependencies.ts';
import { cursorParameter, idParameter, limitOf, limitParameter, nameParameter } from './queries.ts';
import { findMissingPredecessor } from './rerun.ts';
import type { App } from './server.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['releases'];

/** Releases: what was released, and how to release, run again and cancel. */
export function addReleaseRoutes(app: App, deps: AppDependencies): void {
  const { releases, audit } = deps.store;

  app.get(
    '/api/v1/releases',
    {
      config,
      schema: {
        summary: 'Lists releases, newest first',
        tags,
        querystring: Type.Object(
          {
            repository: Type.Optional(nameParameter),
            environment: Type.Optional(nameParameter),
            phase: Type.Optional(Type.Enum(RELEASE_PHASES)),
            limit: limitParameter,
            cursor: cursorParameter,
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(releasePageSchema), ...problems },
      },
    },
    ({ query }) => releases.list({ ...query, limit: limitOf(query) }),
  );

  app.get(
    '/api/v1/releases/:id',
    {
      config,
      schema: {
        summary: 'Shows a release',
        tags,
        params: idParameter,
        response: { 200: ref(releaseSchema), ...problems },
      },
    },
    ({ params }) => mustFind(params.id),
  );

  app.post(
    '/api/v1/releases',
    {
      config,
      schema: {
        summary: 'Releases a commit, or the head of the branch',
        tags,
        body: ref(createReleaseSchema),
        response: { 202: ref(releaseSchema), ...problems },
      },
    },
    async (request, reply) => {
      const { repository } = request.body;
      const commit = await commitToRelease(request.body);
      const { actor, id: requestId } = request;
      const made = await releases.request({ repository, commit, actor, requestId });
      if (!made.created) {
        throw new Refusal(
          'conflict',
          `Commit ${commit} has release #${made.number} already; rerun that one: POST ${location(made.id)}/rerun`,
        );
      }
      return reply
        .code(202)
        .header('location', location(made.id))
        .send(await mustFind(made.id));
    },
  );

  app.post(
    '/api/v1/releases/:id/rerun',
    {
      config,
      schema: {
        summary: 'Runs a release again, whole or in some environments',
        tags,
        params: idParameter,
        body: ref(rerunReleaseSchema),
        response: { 202: ref(releaseSchema), ...problems },
      },
    },
    async (request, reply) => {
      const release = await mustFind(request.params.id);
      const { environments, force = false, reason } = request.body;
      if (environments) checkChoice(release, environments);
      const result = await releases.addRun({
        releaseId: release.id,
        force,
        actor: request.actor,
        requestId: request.id,
        ...(environments ? { environments } : {}),
        ...(reason === undefined ? {} : { reason }),
      });
      if ('refused' in result) {
        throw new Refusal('conflict', `Release #${release.number} is still on its way.`);
      }
      return reply
        .code(202)
        .header('location', location(release.id))
        .send(await mustFind(release.id));
    },
  );

  app.post(
    '/api/v1/releases/:id/cancel',
    {
      config,
      schema: {
        summary: 'Cancels what of a release is on its way',
        tags,
        params: idParameter,
        response: { 202: ref(releaseSchema), ...problems },
      },
    },
    async (request, reply) => {
      const release = await mustFind(request.params.id);
      const { id, number, repository, commit, phase } = release;
      if ((END_PHASES as readonly string[]).includes(phase)) {
        throw new Refusal('conflict', `Release #${number} has ended: ${phase}.`);
      }
      const { actor, id: requestId } = request;
      // Before it happens: what was done must not be missing from the audit.
      await audit.append({ actor, action: 'release.cancel', subject: id, requestId });
      const cancel = (run: number) =>
        deps.orchestrator.cancelRelease({ repository, commit, run, by: actor });
      const answers = await Promise.all(runsOnTheirWay(release).map(cancel));
      if (!answers.includes('cancelling')) {
        throw new Refusal('conflict', `Release #${number} is not running yet, or just ended.`);
      }
      return reply.code(202).header('location', location(id)).send(release);
    },
  );

  async function mustFind(id: string): Promise<Release> {
    const release = await releases.find(id);
    if (!release) throw new Refusal('not-found', `There is no release ${id}.`);
    return release;
  }

  async function commitToRelease(wanted: { repository: string; commit?: string }): Promise<string> {
    const { repository, commit } = wanted;
    if (!deps.repositories().has(repository)) {
      throw new Refusal('invalid', `There is no repository ${repository}.`);
    }
    if (commit === undefined) return deps.git.head(repository);
    const resolved = await deps.git.resolve(repository, commit);
    if (resolved === undefined) {
      throw new Refusal('invalid', `Commit ${commit} is not on the branch of ${repository}.`);
    }
    return resolved;
  }

  function checkChoice(release: Release, chosen: readonly string[]): void {
    const environments = deps.repositories().get(release.repository)?.environments ?? new Map();
    const unknown = chosen.find((name) => !environments.has(name));
    if (unknown !== undefined) {
      throw new Refusal('invalid', `${release.repository} has no environment ${unknown}.`);
    }
    const missing = findMissingPredecessor(chosen, environments, release);
    if (missing) {
      const { environment, needs } = missing;
      throw new Refusal(
        'conflict',
        `${environment} comes after ${needs}, which did not succeed in this release; rerun it too.`,
      );
    }
  }
}

/** A rollback in one environment may run beside what the release still does in others. */
function runsOnTheirWay({ runs, deployments }: Release): number[] {
  const active = deployments.filter(({ phase }) => !isEnd(phase));
  return [...new Set([runs, ...active.map(({ run }) => run)])];
}

function location(id: string): string {
  return `/api/v1/releases/${id}`;
}
