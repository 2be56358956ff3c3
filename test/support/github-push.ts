import { createHmac, randomUUID } from 'node:crypto';

/** Sends the event that GitHub would send for a push to main; the same content at each call. */
export async function sendPush(
  instance: { webhookUrl: string; webhookSecret: string; repository: { url: string } },
  commits: { before: string; after: string },
): Promise<{ status: number; body: { id?: string } }> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    ...commits,
    created: false,
    deleted: false,
    repository: { full_name: 'slipway/deployments', clone_url: instance.repository.url },
  });
  const signature = createHmac('sha256', instance.webhookSecret).update(body).digest('hex');
  const response = await fetch(instance.webhookUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${signature}`,
    },
    body,
  });
  return { status: response.status, body: (await response.json()) as { id?: string } };
}
