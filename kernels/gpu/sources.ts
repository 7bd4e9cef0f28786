/** Pieces that kernels and their sources have in common. */
import type { GridSize } from './gpu-js.js';
import type { Reading, ValueId } from './recording.js';

/** Points along one axis of a grid; a side of a WebGL texture may be no longer on some phones. */
const MOST_ROWS = 4096;

/**
 * A grid for [rows, columns]: row = thread.y + slab · thread.z. A last slab that is not full computes some rows that nobody
 * reads.
 */
export function rowGrid(columns: number, rows: number): { readonly size: GridSize; readonly slab: number } {
  const slabs = Math.ceil(rows / MOST_ROWS);
  const slab = Math.ceil(rows / slabs);
  return { size: slabs > 1 ? [columns, slab, slabs] : [columns, slab], slab };
}

/** The row of a thread in {@link rowGrid}. */
export const ROW = 'this.thread.y + this.constants.slab * this.thread.z';

/** Values of readings, of which some may be absent. */
export const valuesOf = (...readings: readonly (Reading | null)[]): ValueId[] =>
  readings.flatMap((reading) => (reading ? [reading.value] : []));

/** Terms that are summed before they are added to the whole: a float32 sum of many keeps its digits so. */
export const CHUNK = 16;

/**
 * Statements that add `term(p)` for p = 0 .. n - 1 to the variable `sum`, in chunks; n is in the constants of {@link chunksOf}.
 * Every name begins with that of the sum: GPU.js in mode webasm knows no block scope.
 */
export function chunkedSum(sum: string, term: (p: string) => string): string {
  const [chunk, inside, part, rest] = [`${sum}Chunk`, `${sum}Inside`, `${sum}Part`, `${sum}Rest`];
  const [at, last] = [`${sum}At`, `${sum}Last`];
  return `
  for (let ${chunk} = 0; ${chunk} < this.constants.nChunks; ${chunk}++) {
    let ${part} = 0;
    for (let ${inside} = 0; ${inside} < ${CHUNK}; ${inside}++) {
      const ${at} = ${chunk} * ${CHUNK} + ${inside};
      ${part} += ${term(at)};
    }
    ${sum} += ${part};
  }
  for (let ${rest} = 0; ${rest} < this.constants.nRest; ${rest}++) {
    const ${last} = this.constants.nChunks * ${CHUNK} + ${rest};
    ${sum} += ${term(last)};
  }`;
}

/** The constants of {@link chunkedSum} for n terms. */
export const chunksOf = (n: number): Record<string, number> => ({
  nChunks: Math.floor(n / CHUNK),
  nRest: n % CHUNK,
});

/** The argument, or as much of it as the grid has points: what puts an array on a device. */
export const IDENTITY = 'function (x) { return x[this.thread.x]; }';
