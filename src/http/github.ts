import type { ServedRepository } from './dependencies.ts';

/** What is read of a push event; the commits themselves are read from git. */
export interface GithubPush {
  ref: string;
  before: string;
  after: string;
  /** The repository's name and addresses, as the forge writes them. */
  fullName: string;
  cloneUrl: string;
  /** Whoever pushed or merged; the names in commits are only text. */
  sender?: { forgeUser: string; login: string };
}

const COMMIT = /^[0-9a-f]{40}$/;
const NO_COMMIT = '0'.repeat(40);

/** Picks a push from a parsed body; undefined when it is not shaped like one. */
export function readPush(body: unknown): GithubPush | undefined {
  const { ref, before, after, repository, sender: rawSender } = fields(body);
  const { full_name: fullName, clone_url: cloneUrl } = fields(repository);
  if (typeof ref !== 'string' || typeof fullName !== 'string') return undefined;
  if (typeof before !== 'string' || !COMMIT.test(before)) return undefined;
  if (typeof after !== 'string' || !COMMIT.test(after)) return undefined;
  const sender = readSender(rawSender);
  return {
    ...{ ref, before, after, fullName },
    cloneUrl: typeof cloneUrl === 'string' ? cloneUrl : '',
    ...(sender ? { sender } : {}),
  };
}

function readSender(value: unknown): GithubPush['sender'] {
  const { id, login } = fields(value);
  if (!Number.isSafeInteger(id)) return undefined;
  return {
    forgeUser: `github:${String(id)}`,
    login: typeof login === 'string' ? login.slice(0, 100) : '',
  };
}

/** Why a push starts nothing; undefined when it does. */
export function whyIgnored(push: GithubPush, repository: ServedRepository): string | undefined {
  if (!isOf(push, repository.url)) return 'the push is to another repository';
  if (push.ref.startsWith('refs/tags/')) return 'the push is of a tag';
  if (push.ref !== `refs/heads/${repository.branch}`) {
    return `the push is to another branch than ${repository.branch}`;
  }
  if (push.after === NO_COMMIT) return 'the branch was deleted';
  return undefined;
}

function isOf(push: GithubPush, url: string): boolean {
  const wanted = address(url);
  return address(push.cloneUrl) === wanted || push.fullName.toLowerCase() === path(wanted);
}

/** `host/owner/name` of a git URL of any form, in lower case as forges compare. */
function address(url: string): string {
  return url
    .toLowerCase()
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/^[^@/]*@/, '')
    .replace(/^([^/:]+):(?![0-9]+\/)/, '$1/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
}

function path(of: string): string {
  return of.slice(of.indexOf('/') + 1);
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
