/**
 * From CTC log-probabilities to labels (Graves et al. 2006): greedy and prefix-beam decoding, and the frames
 * at which a label sequence was heard. Class 0 is the blank. Log-probabilities are [frames, classes].
 */
import { ShapeError, type Tensor, UsageError } from '../tensor/index.js';

export const BLANK = 0;

/** One label of a transcript and the run of frames that speaks for it. */
export interface CtcToken {
  readonly label: number;
  /** First frame of the run, and the frame after its last. */
  readonly startFrame: number;
  readonly endFrame: number;
  /** Geometric mean of the label's probability over the run. */
  readonly confidence: number;
}

/** Rows of log-probabilities that lie without gaps in their rows. */
function rows(
  operation: string,
  logProbs: Tensor,
): { frames: number; classes: number; at(t: number): number } {
  if (logProbs.shape.length !== 2 || (logProbs.shape[1]! > 1 && logProbs.stride[1] !== 1)) {
    throw new ShapeError(
      `${operation}: log-probabilities have shape [${logProbs.shape.join(', ')}], expected [frames, classes]`,
    );
  }
  const [frames, classes] = logProbs.shape as [number, number];
  return { frames, classes, at: (t) => logProbs.offset + t * logProbs.stride[0]! };
}

/** Runs of equal labels on a path of one label a frame, blanks dropped. */
function tokensOfPath(path: ArrayLike<number>, logProbs: Tensor): CtcToken[] {
  const { at } = rows('tokensOfPath', logProbs);
  const tokens: CtcToken[] = [];
  for (let t = 0; t < path.length; ) {
    const label = path[t]!;
    let end = t;
    let sum = 0;
    while (end < path.length && path[end] === label) {
      sum += logProbs.data[at(end) + label]!;
      end++;
    }
    if (label !== BLANK) {
      tokens.push({ label, startFrame: t, endFrame: end, confidence: Math.exp(sum / (end - t)) });
    }
    t = end;
  }
  return tokens;
}

/** The likeliest class of the row of log-probabilities that begins at `row`; of equals the lowest. */
export function likeliest({ data, shape }: Tensor, row: number): number {
  const classes = shape[1]!;
  let best = 0;
  for (let c = 1; c < classes; c++) if (data[row + c]! > data[row + best]!) best = c;
  return best;
}

/** The likeliest class of every frame, repeats merged, blanks dropped. Of equals the lowest class. */
export function greedyDecode(logProbs: Tensor): CtcToken[] {
  const { frames, at } = rows('greedyDecode', logProbs);
  const path = Int32Array.from({ length: frames }, (_, t) => likeliest(logProbs, at(t)));
  return tokensOfPath(path, logProbs);
}

/** log(exp(a) + exp(b)). */
function logAdd(a: number, b: number): number {
  if (a === -Infinity) return b;
  if (b === -Infinity) return a;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** A prefix of labels, as a node of the tree of all prefixes, with its probabilities at two frames. */
class Prefix {
  readonly children = new Map<number, Prefix>();
  /** Log-probability of the frames so far reading as this prefix, and ending in a blank or in a label. */
  blank = -Infinity;
  labelled = -Infinity;
  nextBlank = -Infinity;
  nextLabelled = -Infinity;

  constructor(
    readonly parent: Prefix | null,
    readonly label: number,
  ) {}

  child(label: number): Prefix {
    let found = this.children.get(label);
    if (!found) {
      found = new Prefix(this, label);
      this.children.set(label, found);
    }
    return found;
  }

  labels(): number[] {
    const labels: number[] = [];
    for (let node: Prefix | null = this; node?.parent; node = node.parent) labels.push(node.label);
    return labels.reverse();
  }
}

export interface BeamSearchOptions {
  /** Prefixes kept after each frame; default 16. */
  readonly width?: number;
  /** Classes tried as the next label of a frame, the likeliest ones; default 40. */
  readonly classesPerFrame?: number;
}

export interface Hypothesis {
  readonly labels: readonly number[];
  /** Log-probability summed over every path that reads as these labels. */
  readonly logProbability: number;
}

/** The classes but blank of one frame, likeliest first, at most `most`. */
function likeliestClasses(logProbs: Tensor, row: number, classes: number, most: number): number[] {
  const candidates = Array.from({ length: classes - 1 }, (_, c) => c + 1);
  if (candidates.length <= most) return candidates;
  const score = (c: number) => logProbs.data[row + c]!;
  return candidates.sort((a, b) => score(b) - score(a)).slice(0, most);
}

/**
 * Prefix-beam search (Hannun et al. 2014): the likeliest label sequences, each summed over all its
 * alignments, best first. Exact where nothing is pruned.
 */
export function beamSearch(logProbs: Tensor, options: BeamSearchOptions = {}): Hypothesis[] {
  const { width = 16, classesPerFrame = 40 } = options;
  if (!(Number.isInteger(width) && width >= 1 && Number.isInteger(classesPerFrame) && classesPerFrame >= 1)) {
    throw new UsageError(
      `beamSearch: width ${width} and classesPerFrame ${classesPerFrame} must be positive whole numbers`,
    );
  }
  const { frames, classes, at } = rows('beamSearch', logProbs);
  const root = new Prefix(null, BLANK);
  root.blank = 0;
  let beam = [root];
  for (let t = 0; t < frames; t++) {
    const row = at(t);
    const candidates = likeliestClasses(logProbs, row, classes, classesPerFrame);
    const touched = new Set<Prefix>();
    for (const prefix of beam) {
      const total = logAdd(prefix.blank, prefix.labelled);
      touched.add(prefix);
      prefix.nextBlank = logAdd(prefix.nextBlank, total + logProbs.data[row + BLANK]!);
      if (prefix.parent) {
        const repeated = prefix.labelled + logProbs.data[row + prefix.label]!;
        prefix.nextLabelled = logAdd(prefix.nextLabelled, repeated);
      }
      for (const c of candidates) {
        // The same label twice needs a blank between, or the frames would merge.
        const from = prefix.parent && c === prefix.label ? prefix.blank : total;
        if (from === -Infinity) continue;
        const child = prefix.child(c);
        touched.add(child);
        child.nextLabelled = logAdd(child.nextLabelled, from + logProbs.data[row + c]!);
      }
    }
    for (const prefix of touched) {
      [prefix.blank, prefix.nextBlank] = [prefix.nextBlank, -Infinity];
      [prefix.labelled, prefix.nextLabelled] = [prefix.nextLabelled, -Infinity];
    }
    const score = (prefix: Prefix) => logAdd(prefix.blank, prefix.labelled);
    const ranked = [...touched].sort((a, b) => score(b) - score(a));
    for (const pruned of ranked.slice(width)) {
      pruned.blank = -Infinity;
      pruned.labelled = -Infinity;
    }
    beam = ranked.slice(0, width);
  }
  return beam.map((prefix) => ({
    labels: prefix.labels(),
    logProbability: logAdd(prefix.blank, prefix.labelled),
  }));
}

/**
 * The likeliest alignment of `labels` (Viterbi over labels with blanks between): where each was heard. Throws
 * UsageError where the frames are too few for the labels.
 */
export function alignLabels(logProbs: Tensor, labels: readonly number[]): CtcToken[] {
  const { frames, at } = rows('alignLabels', logProbs);
  // States: blank, label 1, blank, label 2, ... , blank
  const states = 2 * labels.length + 1;
  const labelOf = (s: number) => (s % 2 === 0 ? BLANK : labels[(s - 1) / 2]!);
  let score = new Float64Array(states).fill(-Infinity);
  score[0] = 0;
  const steps = new Uint8Array(frames * states);
  for (let t = 0; t < frames; t++) {
    const next = new Float64Array(states).fill(-Infinity);
    for (let s = 0; s < states; s++) {
      const skips = s % 2 === 1 && s >= 2 && labelOf(s) !== labelOf(s - 2);
      // Before the first frame only the first blank is open, and the first label one step from it.
      let best = 0;
      for (let step = 1; step <= (skips && t > 0 ? 2 : 1) && s - step >= 0; step++) {
        if (score[s - step]! > score[s - best]!) best = step;
      }
      next[s] = score[s - best]! + logProbs.data[at(t) + labelOf(s)]!;
      steps[t * states + s] = best;
    }
    score = next;
  }
  let state = states - 1;
  if (labels.length > 0 && score[states - 2]! > score[states - 1]!) state = states - 2;
  if (score[state] === -Infinity) {
    throw new UsageError(`alignLabels: ${frames} frames cannot hold ${labels.length} labels`);
  }
  const path = new Int32Array(frames);
  for (let t = frames - 1; t >= 0; t--) {
    path[t] = labelOf(state);
    state -= steps[t * states + state]!;
  }
  return tokensOfPath(path, logProbs);
}
