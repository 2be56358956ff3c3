import { compareManifests } from '../../domain/diff/compare.ts';
import { describeChange } from '../../domain/diff/describe.ts';
import type { ServiceDiff } from '../../domain/diff/plan-diff.ts';
import { isObject, type Resource } from '../../domain/diff/resource.ts';
import type { Redaction } from '../../domain/diff/veil.ts';
import { createRedactor } from '../../domain/redact.ts';
import { documentsOf, parseDocuments } from './manifests.ts';

/**
 * What an apply changes of a service: its rendered manifest compared with the one that runs. No
 * resources in the answer: both are equal as parsed. Values of Secrets and those that `redact` masks
 * do not leave; neither text may be redacted before, or two secrets would look the same.
 *
 * @param rendered from `helmfile template`; empty for an uninstall. Includes Helm's hooks
 * @param live from `helm get manifest` followed by `helm get hooks`; empty where nothing is installed
 */
export function diffService(
  rendered: string,
  live: string,
  options: { service: string; namespace: string; redact: (text: string) => string },
): ServiceDiff {
  const { service, namespace } = options;
  const documents = { before: documentsOf(live), after: documentsOf(rendered) };
  const differing = withoutCommon(documents);
  const changes = compareManifests(
    parseDocuments(differing.after, namespace),
    parseDocuments(differing.before, namespace),
  );
  if (changes.length === 0) return { service, resources: [] };
  // A chart may write the value of a Secret in other places too.
  const secrets = [...documents.before, ...documents.after].filter((text) =>
    text.includes('Secret'),
  );
  const redact = redactionOf(parseDocuments(secrets, namespace), options.redact);
  return {
    service,
    resources: changes.map((change) => describeChange(change, redact)),
  };
}

/** Hides what these resources' Secrets hold, wherever it stands, and what `redact` masks. */
export function redactionOf(
  resources: readonly Resource[],
  redact: (text: string) => string,
): Redaction {
  const ownSecrets = createRedactor([...new Set(resources.flatMap(secretValues))]);
  return { name: redact, value: (text) => redact(ownSecrets.text(text)) };
}

/** Documents that are the same in both need no parsing, which is what takes the time. */
function withoutCommon({ before, after }: Documents): Documents {
  const inBefore = new Set(before);
  const inAfter = new Set(after);
  return {
    before: before.filter((document) => !inAfter.has(document)),
    after: after.filter((document) => !inBefore.has(document)),
  };
}

interface Documents {
  before: readonly string[];
  after: readonly string[];
}

/** What a Secret holds, as the containers see it. */
function secretValues({ group, kind, content }: Resource): string[] {
  if (group !== '' || kind !== 'Secret') return [];
  const { data, stringData } = content;
  return [
    ...stringsOf(data).map((value) => Buffer.from(value, 'base64').toString('utf8')),
    ...stringsOf(stringData),
  ];
}

function stringsOf(value: Resource['content'][string] | undefined): string[] {
  if (!isObject(value)) return [];
  return Object.values(value).filter((item) => typeof item === 'string');
}
