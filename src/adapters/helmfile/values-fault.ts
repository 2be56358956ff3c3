import { posix } from 'node:path';
import { parseAllDocuments, type YAMLError } from 'yaml';
import { SlipwayError } from '../../domain/errors.ts';
import { readRelease, valuesFolder, type BuildDocument } from './build-output.ts';
import type { InputFiles } from './input-files.ts';

/** What a parser says of a text first, without its excerpt, which may hold secrets. */
export function yamlFault(errors: readonly YAMLError[]): string | undefined {
  return errors[0]?.message.split(/:?\n/, 1)[0];
}

/**
 * Helmfile says that a values file is no YAML, and not which one. Answers with an error that names the
 * first that is none, or with the error itself where that can only be what a template renders.
 */
export async function namedValuesFault(
  error: unknown,
  documents: readonly BuildDocument[],
  files: InputFiles,
): Promise<unknown> {
  if (!(error instanceof SlipwayError && /in \S+: yaml: /.test(error.message))) return error;
  for (const path of await plainValuesFiles(documents, files)) {
    const documentsIn = parseAllDocuments(await files.text(path));
    const errors = 'empty' in documentsIn ? [] : documentsIn.flatMap((document) => document.errors);
    const fault = yamlFault(errors);
    if (fault === undefined) continue;
    const message = `${path} is no valid YAML: ${fault}.`;
    return new SlipwayError('template-error', message, { cause: error });
  }
  return error;
}

async function plainValuesFiles(
  documents: readonly BuildDocument[],
  files: InputFiles,
): Promise<string[]> {
  const named = documents.flatMap(({ source, releases }) =>
    [...releases.values()].flatMap((text) => {
      const release = readRelease(text);
      const folder = valuesFolder(release, posix.dirname(source));
      const { values } = release.fields;
      const entries: unknown[] = Array.isArray(values) ? values : [];
      return entries.flatMap((entry) =>
        typeof entry === 'string' ? files.named(folder, entry) : [],
      );
    }),
  );
  const found = (await Promise.all(named)).flatMap((matched) => matched ?? []);
  return found.map(({ path }) => path).filter((path) => !path.endsWith('.gotmpl'));
}
