import { DomainError } from '../errors.js';
import type { ModelRef } from './model.js';

/** Names that may point at a version. */
export const aliases = ['live', 'previous', 'candidate'] as const;
/** One of them; `live` answers for the bare name. */
export type Alias = (typeof aliases)[number];

const namePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Whether it may be a model's name, and so a folder's: a-z, 0-9, `.`, `_`, `-`, at most 64. */
export function isModelName(name: string): boolean {
  return namePattern.test(name);
}

/** Throws `option_invalid` unless the name can be a folder on every system and a word in a metric. */
export function assertModelName(name: string): void {
  if (isModelName(name)) return;
  throw new DomainError(
    'option_invalid',
    `model name: expected 1 to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit, got ${JSON.stringify(name.slice(0, 80))}`,
  );
}

/**
 * Reads "name" (its live version), "name@3" or "name@candidate"; "" stands for the only
 * model and gives an empty name. Throws `option_invalid`.
 */
export function parseModelRef(text: string): ModelRef {
  if (text === '') return { name: '', selector: { alias: 'live' } };
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  assertModelName(name);
  if (at < 0) return { name, selector: { alias: 'live' } };
  const selector = text.slice(at + 1);
  if (/^[1-9][0-9]{0,8}$/.test(selector)) return { name, selector: { version: Number(selector) } };
  if ((aliases as readonly string[]).includes(selector))
    return { name, selector: { alias: selector } };
  throw new DomainError(
    'option_invalid',
    `model: expected a version number, ${aliases.join(', ')} after "@", got ${JSON.stringify(selector.slice(0, 80))}`,
  );
}
