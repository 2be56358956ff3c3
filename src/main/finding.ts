/** What was found of one thing that Slipway needs. */
export interface Finding {
  name: string;
  ok: boolean;
  version?: string;
  where?: string;
  /** What is wrong or worth knowing. */
  note?: string;
  /** What to do about it. */
  remedy?: string;
}
