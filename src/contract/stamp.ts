/** Labels that an apply stamps on the Helm revisions that it makes, and by which they are known later. */
export const STAMP = {
  deployment: 'slipway-deployment',
  attempt: 'slipway-attempt',
} as const;
