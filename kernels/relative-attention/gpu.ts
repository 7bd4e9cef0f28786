import { recording } from '../gpu/recording.js';
import { chunkedSum, chunksOf, valuesOf } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import type { RelativeAttention } from './reference.js';

/** Stands for minus infinity: exponentials of it are 0. */
const FORBIDDEN = -3e38;

/**
 * score[h, i, j], one thread each. The relative shift is an index: no position is moved. Where q and k lie in one array, as
 * SpeechBrain's projection leaves them, it is given once: WebGPU binds 7 arrays at most.
 */
const scores = (relative: boolean, added: boolean, masked: boolean, together: boolean) => {
  const keys = together ? 'q' : 'k';
  return `
function (${['q', ...(together ? [] : ['k']), ...(relative ? ['positions', 'biasU', 'biasV'] : []), ...(added ? ['added'] : []), ...(masked ? ['mask'] : [])].join(', ')}) {
  const head = this.thread.z;
  const i = this.thread.y;
  const j = this.thread.x;
  const from = this.constants.qOffset + i * this.constants.qRow + head * this.constants.headStride;
  const to = this.constants.kOffset + j * this.constants.kRow + head * this.constants.headStride;
  let sum = 0;
  ${
    relative
      ? `const at = this.constants.pOffset + (this.constants.frames - 1 - i + j) * this.constants.pRow + head * this.constants.headSize;
  const u = this.constants.uOffset + head * this.constants.headSize;
  const v = this.constants.vOffset + head * this.constants.headSize;
  ${chunkedSum('sum', (p) => `(q[from + ${p}] + biasU[u + ${p}]) * ${keys}[to + ${p}] + (q[from + ${p}] + biasV[v + ${p}]) * positions[at + ${p}]`)}`
      : chunkedSum('sum', (p) => `q[from + ${p}] * ${keys}[to + ${p}]`)
  }
  let score = sum * this.constants.scale;
  ${added ? `score = Math.max(score + added[this.constants.addedOffset + i * this.constants.addedRow + j], ${FORBIDDEN});` : ''}
  ${masked ? `if (mask[this.constants.maskOffset + j] > 0) { score = ${FORBIDDEN}; }` : ''}
  return score;
}`;
};

/** For each row of scores: thread 0 its largest, thread 1 the sum of exponentials below it. */
const statistics = `
function (scores) {
  const from = (this.thread.z * this.constants.frames + this.thread.y) * this.constants.keys;
  let largest = ${FORBIDDEN};
  for (let c = 0; c < this.constants.keys; c++) {
    largest = Math.max(largest, scores[from + c]);
  }
  let total = 0;
  for (let d = 0; d < this.constants.keys; d++) {
    total += Math.exp(scores[from + d] - largest);
  }
  return this.thread.x < 1 ? largest : total;
}`;

/** The attention map [heads, frames, keys]; a row all of whose keys are masked is zero. */
const weights = `
function (scores, statistics) {
  const row = this.thread.z * this.constants.frames + this.thread.y;
  const score = scores[row * this.constants.keys + this.thread.x];
  let weight = Math.exp(score - statistics[2 * row]) / statistics[2 * row + 1];
  if (score <= ${FORBIDDEN / 2}) { weight = 0; }
  return weight;
}`;

/** y[i, h, d], one thread each. */
const mix = `
function (weights, values) {
  const row = (this.thread.y * this.constants.frames + this.thread.z) * this.constants.keys;
  const from = this.constants.offset + this.thread.y * this.constants.headStride + this.thread.x;
  let sum = 0;
  ${chunkedSum('sum', (p) => `weights[row + ${p}] * values[from + ${p} * this.constants.row]`)}
  return sum;
}`;

const attend: RelativeAttention = (
  { frames, keys = frames, heads, headSize, scale },
  query,
  queryOffset,
  queryRow,
  key,
  keyOffset,
  keyRow,
  value,
  valueOffset,
  valueRow,
  headStride,
  positions,
  positionsOffset,
  positionsRow,
  biasU,
  biasUOffset,
  biasV,
  biasVOffset,
  added,
  addedOffset,
  addedRow,
  masked,
  maskedOffset,
  map,
  mapOffset,
  mapHeadStride,
  mapRow,
  y,
  yOffset,
  yRow,
) => {
  if (frames === 0 || keys === 0) return;
  const notes = recording();
  const reach = (heads - 1) * headStride + headSize;
  const q = notes.read(query, queryOffset, frames, reach, queryRow);
  const k = notes.read(key, keyOffset, keys, reach, keyRow);
  const v = notes.read(value, valueOffset, keys, reach, valueRow);
  const together = q.value === k.value;
  const relative = positions && biasU && biasV;
  const p = relative
    ? notes.read(positions, positionsOffset, frames + keys - 1, heads * headSize, positionsRow)
    : null;
  const u = relative ? notes.read(biasU, biasUOffset, 1, heads * headSize) : null;
  const w = relative ? notes.read(biasV, biasVOffset, 1, heads * headSize) : null;
  const addend = added ? notes.read(added, addedOffset, frames, keys, addedRow) : null;
  const mask = masked ? notes.read(masked, maskedOffset, 1, keys) : null;
  const scored = notes.launch(
    'attention scores',
    scores(relative !== null, addend !== null, mask !== null, together),
    {
      frames,
      headSize,
      headStride,
      scale,
      qOffset: q.offset,
      qRow: queryRow,
      kOffset: k.offset,
      kRow: keyRow,
      pOffset: p?.offset ?? 0,
      pRow: positionsRow,
      uOffset: u?.offset ?? 0,
      vOffset: w?.offset ?? 0,
      addedOffset: addend?.offset ?? 0,
      addedRow,
      maskOffset: mask?.offset ?? 0,
      ...chunksOf(headSize),
    },
    [keys, frames, heads],
    [q.value, ...(together ? [] : [k.value]), ...valuesOf(p, u, w, addend, mask)],
  );
  const found = notes.launch(
    'attention statistics',
    statistics,
    { frames, keys },
    [2, frames, heads],
    [scored],
  );
  const weighted = notes.launch(
    'attention weights',
    weights,
    { frames, keys },
    [keys, frames, heads],
    [scored, found],
  );
  const mixed = notes.launch(
    'attention mix',
    mix,
    { frames, keys, offset: v.offset, row: valueRow, headStride, ...chunksOf(keys) },
    [headSize, heads, frames],
    [weighted, v.value],
  );
  if (map) {
    for (let h = 0; h < heads; h++) {
      notes.write(weighted, map, mapOffset + h * mapHeadStride, frames, keys, mapRow, h * frames * keys);
    }
  }
  notes.write(mixed, y, yOffset, frames, heads * headSize, yRow);
};

export const relativeAttentionGpu = gpuVariant(
  'relative-attention',
  attend,
  'scores, largest and sum of rows, weights, mix: four launches, one thread for each number',
);
