/** What an import found: strict, so that weights which fit only almost are not taken. */
import { ModelError } from '../tensor/index.js';

/** A tensor that has another shape than the network's. */
export interface WrongShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly expected: readonly number[];
}

export interface ImportReport {
  /** Tensors that were taken. */
  readonly taken: number;
  /** Tensors of the network that the file lacks. */
  readonly missing: readonly string[];
  /** Tensors of the file that are none of the network's. */
  readonly unexpected: readonly string[];
  readonly wrongShape: readonly WrongShape[];
  /** Tensors that are known and not needed here: counters, position tables, the attention decoder. */
  readonly leftOut: readonly string[];
}

/** Names shown in full before the rest are only counted. */
const MOST_SHOWN = 6;

const shown = (what: string, names: readonly string[]): string[] => {
  if (names.length === 0) return [];
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : '';
  return [`${names.length} ${what}: ${names.slice(0, MOST_SHOWN).join(', ')}${more}`];
};

const describe = ({ name, shape, expected }: WrongShape): string =>
  `${name} [${shape.join(', ')}] instead of [${expected.join(', ')}]`;

/** Weights that are not those of the network that their shapes speak of. */
export class ImportError extends ModelError {
  constructor(
    message: string,
    readonly report: ImportReport,
  ) {
    super(message);
  }
}

/** Something with a shape. */
interface Shaped {
  readonly shape: readonly number[];
}

/**
 * Compares what a file has, under the names of the network, with what the network needs. Throws ImportError, with the
 * report, where anything is missing, of another shape, or not expected.
 */
export function requireMatch(
  what: string,
  found: ReadonlyMap<string, Shaped>,
  expected: ReadonlyMap<string, readonly number[]>,
  isLeftOut: (name: string) => boolean,
): ImportReport {
  const missing: string[] = [];
  const wrongShape: WrongShape[] = [];
  for (const [name, shape] of expected) {
    const tensor = found.get(name);
    if (tensor === undefined) missing.push(name);
    else if (tensor.shape.length !== shape.length || tensor.shape.some((n, axis) => n !== shape[axis])) {
      wrongShape.push({ name, shape: tensor.shape, expected: shape });
    }
  }
  const others = [...found.keys()].filter((name) => !expected.has(name));
  const unexpected = others.filter((name) => !isLeftOut(name));
  const report: ImportReport = {
    taken: expected.size - missing.length - wrongShape.length,
    missing,
    unexpected,
    wrongShape,
    leftOut: others.filter(isLeftOut),
  };
  if (missing.length === 0 && unexpected.length === 0 && wrongShape.length === 0) return report;
  const problems = [
    ...shown('missing', missing),
    ...shown('of another shape', wrongShape.map(describe)),
    ...shown('unexpected', unexpected),
  ];
  throw new ImportError(
    `${what}: the tensors are not exactly those of the network that their shapes speak of: ${problems.join('; ')}; is this ` +
      'the right file, and whole?',
    report,
  );
}
