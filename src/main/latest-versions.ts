import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { remoteTags } from '../adapters/git/remote-tags.ts';
import { imageTags } from '../adapters/registry/image-tags.ts';
import type { RepositoryConfig, VersionSource } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { didYouMean } from '../domain/did-you-mean.ts';
import { Refusal } from '../domain/errors.ts';
import { latestVersion, type LatestVersion } from '../domain/latest-version.ts';
import { configuredRepository } from './configured-repository.ts';

export interface LatestOptions {
  repository: string;
  /** slipway.yaml; the one in the repository by default. */
  config?: string;
  allowMajor?: boolean;
}

/** Finds the newest versions where the configuration says that they are published; asks each source once. */
export class LatestVersions {
  readonly #sources: RepositoryConfig['versionSources'];
  readonly #file: string;
  readonly #allowMajor: boolean;
  readonly #tags = new Map<string, Promise<string[]>>();

  private constructor(sources: RepositoryConfig['versionSources'], file: string, major: boolean) {
    this.#sources = sources;
    this.#file = file;
    this.#allowMajor = major;
  }

  static async open(options: LatestOptions): Promise<LatestVersions> {
    const file = options.config ?? join(options.repository, 'slipway.yaml');
    if (options.config === undefined && !existsSync(file)) {
      const message = `--latest needs \`versionSources\` of a slipway.yaml: name it by --config.`;
      throw new Refusal('malformed', message);
    }
    const config = await loadConfig(file);
    const { versionSources } = await configuredRepository(config, options.repository);
    return new LatestVersions(versionSources, file, options.allowMajor ?? false);
  }

  /** The version keys that have a source. */
  keys(): string[] {
    return [...this.#sources.keys()];
  }

  /** @param current the version that the file has now; empty for none */
  async of(key: string, current: string): Promise<LatestVersion> {
    const source = this.#sources.get(key);
    if (!source) throw this.#unknown(key);
    const asked = this.#tags.get(key) ?? tagsOf(source);
    this.#tags.set(key, asked);
    const tags = await asked;
    const named = 'git' in source ? tags.map((tag) => likeCurrent(tag, current)) : tags;
    return latestVersion(key, current, named, this.#allowMajor);
  }

  #unknown(key: string): Refusal {
    const meant = didYouMean(key, this.keys());
    const hint = meant === undefined ? 'add its git URL or image' : `did you mean "${meant}"?`;
    const message = `${this.#file} has no \`versionSources\` entry for ${key}: ${hint}.`;
    return new Refusal('not-found', message);
  }
}

function tagsOf(source: VersionSource): Promise<string[]> {
  return 'git' in source
    ? remoteTags(source.git, process.env)
    : imageTags(source.image, process.env);
}

/** A git tag is mostly `v1.2.3`, and the version in the file an image's tag, mostly without the `v`. */
function likeCurrent(tag: string, current: string): string {
  const bare = tag.replace(/^v(?=\d)/, '');
  return current.startsWith('v') ? `v${bare}` : bare;
}
