// Slipway sets these itself, or they would lead helmfile, helm or git out of their isolation. Those of
// helm-secrets are for people to set: it runs only where the environment allows it.
const NAMES = /^(PATH|HOME|TMPDIR|LANG|TZ|NO_COLOR)$/;
const PREFIXES = /^(HELM_(?!SECRETS_)|HELMFILE_|KUBE|SLIPWAY_|GIT_|LD_|NODE_)/;

/** Whether an environment variable of helmfile is Slipway's own, which no configuration may give. */
export function isReservedVariable(name: string): boolean {
  return NAMES.test(name) || PREFIXES.test(name);
}
