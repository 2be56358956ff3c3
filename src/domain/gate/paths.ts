/** Whether go-getter or a URL says to fetch it from elsewhere. */
export function isRemote(text: string): boolean {
  return /^[A-Za-z0-9+.-]+::|^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text);
}

/**
 * The path in the tree that a text names, seen from a folder of the tree; undefined where it leaves the
 * tree. The tree has no links (it is checked before), so names alone decide.
 *
 * @param root absolute folder of the checked-out commit, which helmfile itself puts before some paths
 */
export function pathInTree(root: string, folder: string, text: string): string | undefined {
  if (text.startsWith(`${root}/`)) return joinPath('', text.slice(root.length + 1));
  return text.startsWith('/') ? undefined : joinPath(folder, text);
}

/** A relative path, seen from a folder; undefined where it leaves what the folder itself is relative to. */
export function joinPath(folder: string, path: string): string | undefined {
  const parts: string[] = [];
  for (const part of `${folder}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
