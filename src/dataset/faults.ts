import { DomainError } from '../errors.js';

/** So many characters of faults are named; the rest are counted. */
const namedLength = 860;
const namedCount = 12;

/** Gathers what is wrong with a dataset, so that it is told all at once. */
export interface Faults {
  add(fault: string): void;
  /** Throws `dataset_invalid` with the faults: "a; b; ... and 12 more". */
  throwIfAny(): void;
}

export function createFaults(): Faults {
  const named: string[] = [];
  let length = 0;
  let count = 0;
  return {
    add(fault) {
      count += 1;
      const isFull = named.length >= namedCount || length + fault.length > namedLength;
      if (count > named.length + 1 || (isFull && named.length > 0)) return;
      named.push(fault.length > namedLength ? `${fault.slice(0, namedLength)}...` : fault);
      length += fault.length + 2;
    },
    throwIfAny() {
      if (count === 0) return;
      const rest = count - named.length;
      const more = rest === 0 ? '' : `; ... and ${rest} more`;
      throw new DomainError('dataset_invalid', `${named.join('; ')}${more}`);
    },
  };
}
