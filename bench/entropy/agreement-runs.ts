/**
 * Runs of seeded codewords for bench:entropy-agreement, the same wherever they are made. Most are drawn from the contexts, as
 * speech would be; the others by how frequent codewords were in training. Some in both are any codewords, and vectors are held.
 */
import { type Context, type FrequencyTable, type Run, TOTAL_BITS } from '../../src/entropy/index.js';
import { createRandom } from '../../src/tensor/index.js';

const SEED = 1;
/** Runs have from 1 to so many vectors, 1,000 on average. */
const LONGEST = 1999;
/** Runs that follow the contexts. Among the others are many that contexts had rather packed, with nothing in them to agree on. */
const FOLLOW = 0.75;
/** Each run takes one of each. So many vectors are the one before again. */
const AGAIN = [0, 0.02, 0.1, 0.9];
/** So many codewords may be any; of runs that follow the contexts, so many decisions may be either. */
const ANY = [0, 0.01, 0.05, 0.3];
const EITHER = [0, 0.001, 0.01, 0.03];
/** So many codewords of a stage stay, in runs that do not follow the contexts. */
const HELD = [0, 0.1, 0.3, 0.99];

/** A codeword for each of a table's parts. Those of the escape are in turns codewords that training never saw. */
function byParts({ cumulative, codewords, unseen }: FrequencyTable): Uint16Array {
  const parts = new Uint16Array(2 ** TOTAL_BITS);
  for (let v = 0; v < codewords; v++) parts.fill(v, cumulative[v], cumulative[v + 1]);
  for (let i = 0, part = cumulative[codewords]!; part < parts.length; i++, part++)
    parts[part] = unseen[i % unseen.length]!;
  return parts;
}

/** Runs of `tables.length` stages, `vectors` vectors together. */
export function* seededRuns(
  tables: readonly FrequencyTable[],
  contexts: Context,
  vectors: number,
): Generator<Run> {
  const random = createRandom(SEED);
  const below = (end: number) => Math.floor(end * random());
  const oneOf = (choices: readonly number[]) => choices[below(choices.length)]!;
  const parts = tables.map(byParts);
  const stages = tables.length;

  /** A decoder that is told its decisions by chance makes what its model expects. */
  const follow = (indices: Int32Array): void => {
    const either = oneOf(EITHER);
    const code = (_bit: number, ones: number) =>
      below(2 ** 16) < (random() < either ? 2 ** 15 : ones) ? 1 : 0;
    contexts.decode({ indices, stages }, { code });
  };
  const draw = (indices: Int32Array): void => {
    const any = oneOf(ANY);
    const held = tables.map(() => oneOf(HELD));
    for (let i = 0; i < indices.length; i++) {
      const s = i % stages;
      if (i >= stages && random() < held[s]!) indices[i] = indices[i - stages]!;
      else if (random() < any) indices[i] = below(tables[s]!.codewords);
      else indices[i] = parts[s]![below(2 ** TOTAL_BITS)]!;
    }
  };

  for (let left = vectors; left > 0; ) {
    const count = Math.min(left, 1 + below(LONGEST));
    left -= count;
    const drawn = new Int32Array(count * stages);
    if (random() < FOLLOW) follow(drawn);
    else draw(drawn);
    const again = oneOf(AGAIN);
    const indices = drawn.slice();
    // What was drawn goes on after a vector that comes again.
    for (let at = stages, from = stages; at < indices.length; at += stages) {
      if (random() < again) indices.copyWithin(at, at - stages, at);
      else {
        for (let s = 0; s < stages; s++) indices[at + s] = drawn[from + s]!;
        from += stages;
      }
    }
    yield { indices, stages };
  }
}
