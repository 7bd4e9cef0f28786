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
 * Statements that add `term` for p = 0 .. constants.n - 1 to `sum`, in chunks. `term` is an expression of p; all names are
 * free of others (GPU.js in mode webasm knows no block scope).
 */
export const chunkedSum = (sum: string, n: string, term: string): string => `
  for (let ${sum}Chunk = 0; ${sum}Chunk < this.constants.${n}Chunks; ${sum}Chunk++) {
    let ${sum}Part = 0;
    for (let ${sum}In = 0; ${sum}In < ${CHUNK}; ${sum}In++) {
      const p = ${sum}Chunk * ${CHUNK} + ${sum}In;
      ${sum}Part += ${term};
    }
    ${sum} += ${sum}Part;
  }
  for (let ${sum}Rest = 0; ${sum}Rest < this.constants.${n}Rest; ${sum}Rest++) {
    const q = this.constants.${n}Chunks * ${CHUNK} + ${sum}Rest;
    ${sum} += ${term.replace(/\bp\b/g, 'q')};
  }`;

/** The constants of {@link chunkedSum} for n terms. */
export const chunksOf = (name: string, n: number): Record<string, number> => ({
  [`${name}Chunks`]: Math.floor(n / CHUNK),
  [`${name}Rest`]: n % CHUNK,
});
