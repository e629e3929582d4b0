import { InvalidArgumentError } from '@commander-js/extra-typings';

/** "0.0039" or "1/255". */
export function quotient(text: string): number {
  const [dividend, divisor = 1, ...rest] = text.split('/').map(toNumber);
  const value = (dividend ?? 0) / divisor;
  if (rest.length === 0 && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0, such as 1/255 or 1.');
}

/** "0.485,0.456,0.406". */
export function numberList(text: string): readonly number[] {
  const numbers = text.split(',').map(toNumber);
  if (numbers.every(Number.isFinite)) return numbers;
  throw new InvalidArgumentError('Expected numbers with commas between, such as 0.485,0.456.');
}

/** NaN for no text too. */
const toNumber = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));
