import { createHmac, timingSafeEqual } from 'node:crypto';

const SHA256 = /^sha256=([0-9a-f]{64})$/;

/** A signature over a body that comes in pieces. */
interface SignatureCheck {
  add: (piece: Buffer) => void;
  isSigned: () => boolean;
}

/**
 * Checks `X-Hub-Signature-256` over the raw bytes of a body. Two secrets are valid while one replaces
 * the other; every one is tried, so that the time says nothing about which.
 */
export function isSigned(body: Buffer, header: unknown, secrets: readonly string[]): boolean {
  const check = checkSignature(header, secrets);
  check.add(body);
  return check.isSigned();
}

export function checkSignature(header: unknown, secrets: readonly string[]): SignatureCheck {
  const hex = typeof header === 'string' ? SHA256.exec(header)?.[1] : undefined;
  // A wrong header costs as much as a right one.
  const claimed = Buffer.from(hex ?? '0'.repeat(64), 'hex');
  const digests = secrets.map((secret) => createHmac('sha256', secret));
  return {
    add: (piece) => {
      for (const digest of digests) digest.update(piece);
    },
    isSigned: () => {
      const matches = digests.map((digest) => timingSafeEqual(digest.digest(), claimed));
      return matches.includes(true) && hex !== undefined;
    },
  };
}
