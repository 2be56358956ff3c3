import { describe, expect, it } from 'vitest';
import { noteInWords } from '../../../src/domain/import/note.ts';
import { readCommands, shellCommands } from '../../../src/domain/import/deploy-script.ts';

const read = (script: string) => readCommands(shellCommands(script, 'deploy.sh'), () => undefined);

describe('a deploy script', () => {
  it('that sets a cluster up, applies and restarts is carried over, but for its authority', () => {
    const script = `#!/usr/bin/env bash

wget -O /ca.crt \\
  https://ca.example.org/\${KUBE_CLUSTER}.crt
kubectl config set-cluster "\${KUBE_CLUSTER}" \\
  --server="\${KUBE_SERVER}"
kubectl config use-context helm

helmfile apply --environment \${KUBE_NAMESPACE} -n \${KUBE_NAMESPACE} --kube-context helm

kubectl rollout restart deployment/example-frontend -n \${KUBE_NAMESPACE}
`;
    expect(read(script)).toEqual({
      deploys: true,
      environment: '${KUBE_NAMESPACE}',
      namespace: '${KUBE_NAMESPACE}',
      restart: ['deployment/example-frontend'],
      left: [
        {
          ...{ kind: 'to do', file: 'deploy.sh', line: 3 },
          text: expect.stringContaining('certificateAuthority') as string,
        },
      ],
    });
  });

  it.each([
    ['kubectl rollout restart deploy web', 'deployment/web'],
    ['kubectl rollout restart statefulset/db', 'statefulset/db'],
    ['kubectl rollout restart -n qa ds/agent', 'daemonset/agent'],
  ])('restarts: %s', (line, workload) => {
    expect(read(line).restart).toEqual([workload]);
  });

  it('names what is not carried over, with its line', () => {
    const script = `set -e\nhelmfile -e qa apply --set a=b\n./notify.sh && kubectl apply -f x.yaml\nkubectl rollout restart deployment/$NAME\n`;
    expect(read(script).left.map(noteInWords)).toEqual([
      'deploy.sh:2: the command `helmfile -e qa apply --set a=b`',
      'deploy.sh:3: the command `./notify.sh`',
      'deploy.sh:3: the command `kubectl apply -f x.yaml`',
      'deploy.sh:4: the command `kubectl rollout restart deployment/$NAME`',
    ]);
  });

  it('that only looks deploys nothing', () => {
    expect(read('helmfile -e qa deps\nhelmfile -e qa diff')).toMatchObject({
      deploys: false,
      left: [{ line: 2, text: 'the command `helmfile -e qa diff`' }],
    });
  });

  it('is followed into the scripts that it runs', () => {
    const scripts: Record<string, string> = {
      'a.sh': 'bash -x b.sh',
      'b.sh': 'helmfile -e qa sync\nrm x',
    };
    const facts = readCommands(shellCommands('./a.sh', '.drone.yml', 7), (path) => scripts[path]);
    expect(facts).toMatchObject({ deploys: true, environment: 'qa' });
    expect(facts.left.map(noteInWords)).toEqual(['b.sh:2: the command `rm x`']);
  });
});
