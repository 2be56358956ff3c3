import { ApiException, KubernetesObjectApi, PatchStrategy } from '@kubernetes/client-node';
import { isObject, type Json, type JsonObject } from '../../domain/diff/resource.ts';
import { toKubeConfig, type ClusterAccess } from './access.ts';
import { ask, bodyMessage } from './client.ts';

/** Whom the API server is told would apply; a dry run leaves no trace of it. */
const MANAGER = 'slipway-drift';

/** An object as it is, and as an apply of what is declared would make it. */
export type Looked =
  | { is: 'there'; live: JsonObject; applied: JsonObject }
  | { is: 'gone' }
  /** Not to be looked at: the API server's own words. */
  | { is: 'refused'; why: string };

type Answer = { is: 'there'; object: JsonObject } | { is: 'gone' } | { is: 'refused'; why: string };

/** Objects of any kind as the API server writes them, with every field, whatever the client library knows. */
export class LiveObjects extends KubernetesObjectApi {
  static open(access: ClusterAccess): LiveObjects {
    const config = toKubeConfig(access);
    const objects = config.makeApiClient(LiveObjects);
    objects.setDefaultNamespace(config);
    return objects;
  }

  /** Looks at one object and asks, by a dry run, what an apply would make of it. Changes nothing. */
  async look(declared: JsonObject): Promise<Looked> {
    const live = await this.#answer('GET', declared);
    if (live.is !== 'there') return live;
    const applied = await this.#answer('PATCH', declared);
    if (applied.is !== 'there') return applied;
    return { is: 'there', live: live.object, applied: applied.object };
  }

  async #answer(method: 'GET' | 'PATCH', declared: JsonObject): Promise<Answer> {
    // The library writes the namespace into what it is given.
    const object = JSON.parse(JSON.stringify(declared)) as Named;
    const name = `${object.kind}/${object.metadata.name}`;
    return ask(`looking at ${name}`, async () => {
      const path = await this.#path(object);
      if (path === undefined) {
        return { is: 'refused', why: `the cluster has no ${object.apiVersion} ${object.kind}` };
      }
      const request = this.configuration.baseServer.makeRequestContext(path, method);
      request.setHeaderParam('Accept', 'application/json');
      if (method === 'PATCH') {
        request.setHeaderParam('Content-Type', PatchStrategy.ServerSideApply);
        request.setQueryParam('dryRun', 'All');
        request.setQueryParam('fieldManager', MANAGER);
        // What others own is what is asked about.
        request.setQueryParam('force', 'true');
        // JSON is YAML.
        request.setBody(JSON.stringify(object));
      }
      try {
        const answer: unknown = await this.requestPromise(request, 'any');
        if (!isObject(answer as Json)) return { is: 'refused', why: 'the answer is no object' };
        return { is: 'there', object: answer as JsonObject };
      } catch (error) {
        return refusal(error);
      }
    });
  }

  /** Undefined where the API server does not know the kind. */
  async #path(object: Named): Promise<string | undefined> {
    const { apiVersion, kind } = object;
    const known = await this.resource(apiVersion, kind).catch((error: unknown) => {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw error;
    });
    return known && this.specUriPath(object, 'read');
  }
}

interface Named {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** What asking again would not change; everything else is thrown on. */
function refusal(error: unknown): Answer {
  if (!(error instanceof ApiException)) throw error;
  if (error.code === 404) return { is: 'gone' };
  const isOwn = [400, 403, 405, 409, 415, 422].includes(error.code);
  if (!isOwn) throw error;
  return { is: 'refused', why: bodyMessage(error.body) ?? `HTTP ${error.code}` };
}
