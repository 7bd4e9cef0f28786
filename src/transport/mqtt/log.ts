/** Lines of a log: what happened, and its circumstances by name. */

/** Fields of one line. */
export type LogFields = Readonly<Record<string, string | number>>;
export type Log = (event: string, fields: LogFields) => void;

/** A value as it is where that is one plain word, else in quotes, with line ends as \\n: no value looks like a line. */
const logValue = (value: string | number): string =>
  typeof value === 'number' || /^[\w./:$+@-]+$/.test(value) ? String(value) : JSON.stringify(value);

/** One line: time=… event=… and then the fields as name=value. */
export const logLine = (time: Date, event: string, fields: LogFields): string =>
  Object.entries({ time: time.toISOString(), event, ...fields })
    .map(([name, value]) => `${name}=${logValue(value)}`)
    .join(' ');
