import { type Reading, recording } from '../gpu/recording.js';
import { gpuVariant } from '../gpu/variant.js';
import type { RotaryPositions, RotaryPositionsSizes } from './reference.js';

/** y[h, t, d] by itself: each thread reads a feature, the other one of its pair, a cosine and a sine. */
const apart = `
function (x, table, partner) {
  const d = this.thread.x;
  const from = this.constants.offset + this.thread.y * this.constants.row + this.thread.z * this.constants.headStride;
  const cosine = this.constants.tableOffset + this.thread.y * this.constants.tableRow + d;
  return x[from + d] * table[cosine] + x[from + partner[d]] * table[cosine + this.constants.headSize];
}`;

/**
 * All of an array with some of its columns turned, the others copied: queries are turned where they lie between keys and
 * values. `feature` says of each column which one of its head it is, -1 for those to copy, and `partner` where its pair is.
 */
const within = `
function (x, table, feature, partner) {
  const at = this.thread.y * this.constants.row;
  const d = feature[this.thread.x];
  const cosine = this.constants.tableOffset + this.thread.y * this.constants.tableRow + d;
  let y = x[this.constants.offset + at + this.thread.x];
  if (d >= 0) {
    y = y * table[cosine] + x[this.constants.offset + at + partner[this.thread.x]] * table[cosine + this.constants.headSize];
  }
  return y;
}`;

const partnerOf = (d: number): number => (d % 2 === 0 ? d + 1 : d - 1);

/** The tables of {@link within} for rows of `columns` numbers whose first head begins at `first`. */
function columnTables(
  { heads, headSize }: RotaryPositionsSizes,
  columns: number,
  first: number,
  headStride: number,
) {
  const feature = new Float32Array(columns).fill(-1);
  const partner = new Float32Array(columns);
  for (let h = 0; h < heads; h++) {
    for (let d = 0; d < headSize; d++) {
      feature[first + h * headStride + d] = d;
      partner[first + h * headStride + d] = first + h * headStride + partnerOf(d);
    }
  }
  return [feature, partner];
}

const rotate: RotaryPositions = (
  sizes,
  x,
  xOffset,
  xRow,
  xHeadStride,
  table,
  tableOffset,
  tableRow,
  y,
  yOffset,
  yRow,
  yHeadStride,
) => {
  const { frames, heads, headSize } = sizes;
  if (frames === 0 || heads === 0 || headSize === 0) return;
  const notes = recording();
  const turns = notes.read(table, tableOffset, frames, 2 * headSize, tableRow);
  const place = { tableOffset: turns.offset, tableRow, headSize, row: xRow };
  const reach = (heads - 1) * xHeadStride + headSize;
  const whole = x === y && xOffset === yOffset ? notes.regionAt(x, xOffset, frames, reach, xRow) : null;
  if (whole) {
    const { region, value, offset } = whole;
    const first = xOffset - region.offset;
    const tables = columnTables(sizes, xRow, first, xHeadStride).map((each) => notes.constant(each).value);
    const args = [value, turns.value, ...tables];
    const turned = notes.launch('rotary-positions', within, { ...place, offset }, [xRow, frames], args);
    notes.write(turned, region.data, region.offset, 1, frames * xRow);
    return;
  }
  const input: Reading = notes.read(x, xOffset, frames, reach, xRow);
  const partner = Float32Array.from({ length: headSize }, (_, d) => partnerOf(d));
  const turned = notes.launch(
    'rotary-positions',
    apart,
    { ...place, offset: input.offset, headStride: xHeadStride },
    [headSize, frames, heads],
    [input.value, turns.value, notes.constant(partner).value],
  );
  for (let h = 0; h < heads; h++) {
    notes.write(turned, y, yOffset + h * yHeadStride, frames, headSize, yRow, h * frames * headSize);
  }
};

export const rotaryPositionsGpu = gpuVariant(
  'rotary-positions',
  rotate,
  'one thread for each feature; in place, the array around it is copied along',
);
