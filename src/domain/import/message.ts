import type { FileChange } from '../diff/file.ts';

/** The message of the commit that brings a repository to Slipway. */
export function importMessage(changes: readonly FileChange[]): string {
  const lines = changes.map(({ path, newPath }) => {
    if (path === undefined) return `- ${newPath}: environments as the pipelines deployed them`;
    return path === newPath ? `- ${path}` : `- ${path} → ${newPath}`;
  });
  return ['Bring the repository to helmfile 1 and Slipway', '', ...lines].join('\n');
}
