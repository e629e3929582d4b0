import {
  Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
  type Option,
} from '@commander-js/extra-typings';
import type { Terminal } from './terminal.js';

/** One verb of the command line. Its action loads the rooms it needs, so that `--help` loads none. */
export type Verb = (terminal: Terminal) => CommandUnknownOpts;

/** A command whose mistakes are thrown and told in one line on standard error. */
export function createCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .exitOverride()
    .configureHelp({ optionDescription: describeOption, minWidthToWrap: 30 })
    .configureOutput({
      outputError: (text, write) => {
        const line = text
          .replace(/^error: /, '')
          .trim()
          .replace(/\s*\n\s*/g, ' ');
        write(`cytostream: ${line} (see --help)\n`);
      },
    });
}

/** "network to train (required; one of a, b; default: a)": what is not so is not told. */
function describeOption({
  description,
  mandatory,
  argChoices,
  defaultValue,
  defaultValueDescription,
}: Option): string {
  const initial = defaultValueDescription ?? String(defaultValue ?? '');
  const told = [
    ...(mandatory ? ['required'] : []),
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(initial === '' ? [] : [`default: ${initial}`]),
  ];
  return told.length === 0 ? description : `${description} (${told.join('; ')})`;
}

/** What `--help` shows below the options. */
export function example(...lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  $ npx cytostream ${line}`).join('\n')}\n`;
}

/** A whole number within bounds, both included. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      const bound = most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `${least} to ${most}`;
      throw new InvalidArgumentError(`Expected a whole number, ${bound}.`);
    }
    return value;
  };
}

/** A number above `above` and at most `most`. */
export function numberAbove(above: number, most = Number.POSITIVE_INFINITY) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value > above) || value > most || !Number.isFinite(value)) {
      const bound = most === Number.POSITIVE_INFINITY ? '' : `, at most ${most}`;
      throw new InvalidArgumentError(`Expected a number above ${above}${bound}.`);
    }
    return value;
  };
}

/** A part that is less than the whole: a number above 0, or from 0 with `orNone`, and below 1. */
export function partBelow1({ orNone = false } = {}) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value > 0 || (orNone && value === 0)) || !(value < 1)) {
      throw new InvalidArgumentError(`Expected a number ${orNone ? 'from' : 'above'} 0, below 1.`);
    }
    return value;
  };
}

/** A number from `least` to `most`, both included. */
export function numberFrom(least: number, most = Number.POSITIVE_INFINITY) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least) || value > most || !Number.isFinite(value)) {
      const bound =
        most === Number.POSITIVE_INFINITY ? `, at least ${least}` : ` from ${least} to ${most}`;
      throw new InvalidArgumentError(`Expected a number${bound}.`);
    }
    return value;
  };
}

/** `HOST:PORT`. */
export function address(text: string): string {
  const port = Number(/:(\d{1,5})$/.exec(text)?.[1]);
  if (!(port >= 1 && port <= 65_535) || text.startsWith(':')) {
    throw new InvalidArgumentError('Expected HOST:PORT, for example localhost:50051.');
  }
  return text;
}

/** Collects an option that may be given more than once. */
export function repeated(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}
