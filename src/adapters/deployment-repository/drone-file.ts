import { isAlias, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import { Refusal } from '../../domain/errors.ts';
import { shellCommands } from '../../domain/import/deploy-script.ts';
import type {
  DroneKey,
  DronePipeline,
  DroneStep,
  DroneValue,
} from '../../domain/import/drone-pipeline.ts';
import type { Note } from '../../domain/import/note.ts';
import { MapReader } from './merged-map.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
// Slipway has its own ways to do these, or they say where a container runs.
const PIPELINE_KEYS = words(
  'kind type name steps depends_on trigger platform clone workspace image_pull_secrets node',
);
const STEP_KEYS = words(
  'name image pull environment commands depends_on resources volumes user when',
);

export interface DroneFile {
  pipelines: DronePipeline[];
  notes: Note[];
}

/**
 * Reads the pipelines of a `.drone.yml`, which may hold several documents, and notes what else is in it.
 * Throws a refusal with file and line for what is no YAML.
 */
export function readDroneFile(text: string, file: string): DroneFile {
  const lineCounter = new LineCounter();
  const options = { lineCounter, prettyErrors: false, logLevel: 'silent' } as const;
  const documents = parseAllDocuments(text, options);
  const found: DroneFile = { pipelines: [], notes: [] };
  for (const document of 'empty' in documents ? [] : documents) {
    const [error] = document.errors;
    if (error) {
      const { line } = lineCounter.linePos(error.pos[0]);
      const [message = ''] = error.message.split('\n');
      throw new Refusal('invalid', `${file}:${line} is not valid YAML: ${message}`);
    }
    const reader = new DocumentReader(document, file, lineCounter);
    const { pipelines, notes } = reader.read();
    found.pipelines.push(...pipelines);
    found.notes.push(...notes);
  }
  return found;
}

class DocumentReader {
  readonly #contents: Node | undefined;
  readonly #maps: MapReader;
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(document: Document, file: string, lines: LineCounter) {
    this.#contents = document.contents ?? undefined;
    this.#maps = new MapReader(document);
    this.#file = file;
    this.#lines = lines;
  }

  read(): DroneFile {
    try {
      return this.#document();
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      const where = `${this.#file}:${this.#line(this.#contents)}`;
      throw new Refusal('invalid', `${where} cannot be read: ${cause.message}.`);
    }
  }

  #document(): DroneFile {
    const entries = this.#maps.entries(this.#contents);
    if (entries.size === 0) return { pipelines: [], notes: [] };
    const place = { file: this.#file, line: this.#line(this.#contents) };
    const kind = this.#maps.text(entries.get('kind')) ?? 'pipeline';
    if (kind !== 'pipeline') {
      const text = `the document of kind ${kind}`;
      return { pipelines: [], notes: [{ kind: 'not carried over', ...place, text }] };
    }
    const trigger = this.#maps.deepEntries(this.#contents, 'trigger');
    const pipeline: DronePipeline = {
      ...place,
      name: this.#maps.text(entries.get('name')) ?? 'default',
      branches: this.#branches(trigger.get('branch')),
      dependsOn: this.#maps.texts(entries.get('depends_on')),
      steps: this.#maps.items(entries.get('steps')).map((node, at) => this.#step(node, at)),
      other: [...this.#others(entries, PIPELINE_KEYS), ...this.#conditions(trigger, 'trigger')],
    };
    return { pipelines: [pipeline], notes: [] };
  }

  #step(node: Node, at: number): DroneStep {
    const entries = this.#maps.entries(node);
    const dependsOn = entries.get('depends_on');
    const commands = this.#maps.items(entries.get('commands'));
    return {
      name: this.#maps.text(entries.get('name')) ?? `step ${at + 1}`,
      line: this.#line(node),
      environment: this.#values(this.#maps.deepEntries(node, 'environment')),
      commands: commands.flatMap((command) =>
        shellCommands(this.#maps.text(command) ?? '', this.#file, this.#line(command)),
      ),
      ...(dependsOn === undefined ? {} : { dependsOn: this.#maps.texts(dependsOn) }),
      other: [
        ...this.#others(entries, STEP_KEYS),
        ...this.#conditions(this.#maps.deepEntries(node, 'when'), 'when'),
      ],
    };
  }

  #values(entries: ReadonlyMap<string, Node>): Map<string, DroneValue> {
    const values = new Map<string, DroneValue>();
    for (const [name, node] of entries) {
      const secret = this.#maps.text(this.#maps.entries(node).get('from_secret'));
      const text = this.#maps.text(node) ?? '';
      values.set(name, secret === undefined ? { text } : { secret });
    }
    return values;
  }

  #branches(node: Node | undefined): string[] {
    return this.#included(node).filter(isNoPattern);
  }

  #conditions(entries: ReadonlyMap<string, Node>, of: string): DroneKey[] {
    return [...entries]
      .filter(([key, node]) => !this.#isPlain(key, node))
      .map(([key, node]) => ({ key: `${of}.${key}`, line: this.#line(node) }));
  }

  /** A push to a branch by name is what starts a release anyway. */
  #isPlain(key: string, node: Node): boolean {
    const texts = this.#included(node);
    if (texts.length === 0 || this.#maps.entries(node).has('exclude')) return false;
    if (key === 'event') return texts.every((event) => event === 'push');
    return key === 'branch' && texts.every(isNoPattern);
  }

  #included(node: Node | undefined): string[] {
    return this.#maps.texts(this.#maps.entries(node).get('include') ?? node);
  }

  #others(entries: ReadonlyMap<string, Node>, known: ReadonlySet<string>): DroneKey[] {
    return (
      [...entries]
        // What others refer to is carried over with them.
        .filter(([key, node]) => !known.has(key) && !isAnchored(node))
        .map(([key, node]) => ({ key, line: this.#line(node) }))
    );
  }

  #line(node: Node | undefined): number {
    return this.#lines.linePos(node?.range?.[0] ?? 0).line;
  }
}

function isNoPattern(branch: string): boolean {
  return !/[*?[{]/.test(branch);
}

function isAnchored(node: Node): boolean {
  return !isAlias(node) && node.anchor !== undefined;
}
