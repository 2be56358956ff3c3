/** What an environment's evaluated state and its files say, for the rules of `slipway doctor`. */
export interface EnvironmentFacts {
  environment: string;
  services: readonly ServiceFacts[];
  /** Names of services whose input is never the same twice. */
  unstable: ReadonlySet<string>;
}

export interface ServiceFacts {
  name: string;
  /** The helmfile that declares it. */
  source: string;
  /** Values files that are not there. */
  missing: readonly string[];
  /** Why its chart cannot be had. */
  chartFault?: string;
  /** Version keys that its values name. */
  versionKeys: ReadonlySet<string>;
  /** Whether they read versions without naming which. */
  readsAnyVersion: boolean;
  /** Environment variables that its values name, and where. */
  variables: readonly { name: string; file: string }[];
  settings: HelmSettings;
}

/** Of a service, or else of its helmfile; undefined where neither says anything. */
export interface HelmSettings {
  historyMax?: unknown;
  cleanupOnFail?: unknown;
  wait?: unknown;
  createNamespace?: unknown;
}

/** A `versions.yaml`, and who uses it. */
export interface VersionsFacts {
  file: string;
  keys: readonly { key: string; line: number }[];
  environments: readonly EnvironmentFacts[];
}
