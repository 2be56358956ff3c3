import { createHash } from 'node:crypto';
import { glob, readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

/** A file that a service refers to: its bytes count, because helmfile and Helm read YAML differently. */
export interface InputFile {
  /** Relative to the commit's tree. */
  path: string;
  /** `missing` for a file that need not be there. */
  sha256: string;
}

/** Reads the files of one checked-out commit, each at most once. */
export class InputFiles {
  readonly #tree: string;
  readonly #hashes = new Map<string, Promise<string | undefined>>();

  constructor(tree: string) {
    this.#tree = tree;
  }

  /**
   * The files that a text names: itself, or what it matches as a pattern. Undefined where it names
   * something outside the tree, which nobody but helmfile can read.
   */
  async named(folder: string, text: string): Promise<InputFile[] | undefined> {
    const path = this.#inside(join(folder, text));
    if (isAbsolute(text) || path === undefined) return undefined;
    const file = await this.find(path);
    if (file) return [file];
    if (!/[*?[{]/.test(text)) return [{ path, sha256: 'missing' }];
    const matched: string[] = [];
    for await (const match of glob(path, { cwd: this.#tree })) matched.push(match);
    const files = await Promise.all(matched.sort().map((match) => this.find(match)));
    return files.filter((found) => found !== undefined);
  }

  /** The file at this path, if it is one. */
  async find(path: string): Promise<InputFile | undefined> {
    if (this.#inside(path) === undefined) return undefined;
    const known = this.#hashes.get(path) ?? this.#hash(path);
    this.#hashes.set(path, known);
    const sha256 = await known;
    return sha256 === undefined ? undefined : { path, sha256 };
  }

  /** The text of a file; empty where there is none. */
  async text(path: string): Promise<string> {
    if (this.#inside(path) === undefined) return '';
    return readFile(join(this.#tree, path), 'utf8').catch(() => '');
  }

  /** Every file of a folder, in order; undefined when there is no such folder. */
  async folder(path: string): Promise<InputFile[] | undefined> {
    if (this.#inside(path) === undefined) return undefined;
    const root = join(this.#tree, path);
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => null);
    if (!entries) return undefined;
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(this.#tree, join(entry.parentPath, entry.name)))
      .sort();
    const files = await Promise.all(paths.map((file) => this.find(file)));
    return files.filter((found) => found !== undefined);
  }

  #inside(path: string): string | undefined {
    const normal = relative(this.#tree, join(this.#tree, path));
    return normal === '..' || normal.startsWith(`..${sep}`) ? undefined : normal;
  }

  async #hash(path: string): Promise<string | undefined> {
    const file = join(this.#tree, path);
    const isFile = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    );
    if (!isFile) return undefined;
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  }
}
