import { type DestinationStream, pino } from 'pino';
import type { Log } from '../log.js';

/** Loaded where somebody reads along; it takes as long to load as all else of the log. */
const pretty = process.stderr.isTTY ? (await import('pino-pretty')).default : null;

export interface LogOptions {
  readonly level: string;
  /** Where the lines go; standard error when absent. */
  readonly destination?: DestinationStream | undefined;
}

/** One JSON object a line on standard error; one readable line when that is a terminal. */
export function createLog(options: LogOptions): Log {
  const { level, destination } = options;
  const target =
    destination ??
    (pretty === null
      ? pino.destination({ fd: 2, sync: false })
      : pretty({ destination: 2, sync: true, ignore: 'pid,hostname', singleLine: true }));
  return pino({ level, base: null, serializers: { error: pino.stdSerializers.err } }, target);
}
