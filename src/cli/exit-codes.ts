/** What the command line's exit status says; scripts rely on these numbers. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notSignedIn: 4,
  forbidden: 5,
  notFound: 6,
  blocked: 7,
  waitTimedOut: 8,
  serverUnreachable: 9,
  changesPending: 10,
  interrupted: 130,
} as const;
