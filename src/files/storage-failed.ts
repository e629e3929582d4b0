import { DomainError } from '../errors.js';

/** A fault of the disk in words: the system's code and what it means, never the path. */
export function storageFailed(what: string, cause: unknown): DomainError {
  return new DomainError('storage_failed', `${what}: ${reasonOf(cause)}`, { cause });
}

/** "the disk is full (ENOSPC)". */
export function reasonOf(cause: unknown): string {
  const code = codeOf(cause);
  const reason = reasons[code];
  return reason === undefined ? code || 'unknown reason' : `${reason} (${code})`;
}

/** The code of a failed system call: "ENOENT"; empty if it was none. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would exceed the size limit of the process',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the disk is read-only',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'a file of that name is there',
};
