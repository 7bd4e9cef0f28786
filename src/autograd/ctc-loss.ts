/**
 * Connectionist temporal classification (Graves et al. 2006): -log of the probability that a recording's frames read as its
 * labels, summed over all alignments. Class 0 is the blank.
 */
import { scaledAdd } from '../ops/elementwise.js';
import { requireRank } from '../ops/shapes.js';
import { logSoftmax, softmax } from '../ops/softmax.js';
import { flat, ShapeError, type Tensor, UsageError, view } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

const BLANK = 0;

export interface CtcLoss {
  /** Σ over recordings, one number. */
  readonly loss: Variable;
  /** In nats, of each recording; 0 where its labels do not fit. */
  readonly perRecording: readonly number[];
  /** Recordings too short for their labels: they have no loss and no gradient. */
  readonly infeasible: number;
}

/** log(exp(a) + exp(b) + exp(c)). */
function logAdd(a: number, b: number, c: number): number {
  let largest = a > b ? a : b;
  let middle = a > b ? b : a;
  let smallest = c;
  if (c > largest) [largest, smallest] = [c, largest];
  if (smallest > middle) [middle, smallest] = [smallest, middle];
  // What is e^40 times smaller is below float64's precision; NaN fails the comparison and goes on.
  if (middle < largest - 40 || middle === -Infinity) return largest;
  const sum = 1 + Math.exp(middle - largest);
  return largest + Math.log(smallest < largest - 40 ? sum : sum + Math.exp(smallest - largest));
}

/** One recording: states are blank, label 1, blank, label 2, ..., blank. */
interface Alignment {
  /** First row of the recording, and its frames. */
  readonly from: number;
  readonly frames: number;
  /** The class of each state. */
  readonly states: Int32Array;
  /** log p(frames up to t, state s at t), [frames, states]. */
  readonly forward: Float64Array;
  readonly loss: number;
}

/** Whether a path may step over the blank before state `s`: the label before it must be another one. */
const skips = (states: Int32Array, s: number): boolean =>
  s >= 2 && s % 2 === 1 && states[s] !== states[s - 2];

/** Forward variables of a recording whose labels fit into its frames. */
function align(
  logProbs: Float32Array,
  classes: number,
  from: number,
  frames: number,
  labels: readonly number[],
): Alignment {
  const states = new Int32Array(2 * labels.length + 1);
  labels.forEach((label, l) => {
    states[2 * l + 1] = label;
  });
  const count = states.length;
  const forward = new Float64Array(frames * count).fill(-Infinity);
  for (let t = 0; t < frames; t++) {
    const row = (from + t) * classes;
    const [now, before] = [t * count, (t - 1) * count];
    // States that can still reach the end, and that the first frame can have reached.
    const first = Math.max(0, count - 2 * (frames - t));
    const last = Math.min(count - 1, 2 * t + 1);
    for (let s = first; s <= last; s++) {
      const emission = logProbs[row + states[s]!]!;
      if (t === 0) {
        forward[s] = emission;
        continue;
      }
      const arrived = logAdd(
        forward[before + s]!,
        s >= 1 ? forward[before + s - 1]! : -Infinity,
        skips(states, s) ? forward[before + s - 2]! : -Infinity,
      );
      forward[now + s] = arrived + emission;
    }
  }
  const end = (frames - 1) * count;
  const likelihood =
    frames === 0
      ? 0
      : logAdd(forward[end + count - 1]!, count > 1 ? forward[end + count - 2]! : -Infinity, -Infinity);
  return { from, frames, states, forward, loss: -likelihood };
}

/** Subtracts from gradient [rows, classes] how probable each class is at each frame, given the labels. */
function subtractPosteriors(
  { from, frames, states, forward, loss }: Alignment,
  logProbs: Float32Array,
  classes: number,
  gradient: Float32Array,
): void {
  const count = states.length;
  // log p(frames after t | state s at t), of the frame in hand and of the one after it
  let backward = new Float64Array(count).fill(-Infinity);
  let after = backward.slice();
  const posterior = new Float64Array(classes);
  for (let t = frames - 1; t >= 0; t--) {
    [backward, after] = [after, backward];
    if (t === frames - 1) {
      backward.fill(0, Math.max(0, count - 2));
    } else {
      const next = (from + t + 1) * classes;
      for (let s = 0; s < count; s++) after[s]! += logProbs[next + states[s]!]!;
      for (let s = 0; s < count; s++) {
        backward[s] = logAdd(
          after[s]!,
          s + 1 < count ? after[s + 1]! : -Infinity,
          s + 2 < count && skips(states, s + 2) ? after[s + 2]! : -Infinity,
        );
      }
    }
    posterior.fill(0);
    for (let s = 0; s < count; s++) {
      posterior[states[s]!]! += Math.exp(forward[t * count + s]! + backward[s]! + loss);
    }
    const row = (from + t) * classes;
    // The blank's posterior once, and each label's where the first of its states stands for all.
    for (let s = 0; s < count; s++) {
      const label = states[s]!;
      gradient[row + label]! -= posterior[label]!;
      posterior[label] = 0;
    }
  }
}

function requireTargets(
  rows: number,
  classes: number,
  lengths: readonly number[],
  targets: readonly (readonly number[])[],
): void {
  if (lengths.length !== targets.length) {
    throw new ShapeError(`ctcLoss: ${lengths.length} lengths and ${targets.length} targets: give one each`);
  }
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== rows) {
    throw new ShapeError(`ctcLoss: logits have ${rows} rows, lengths add up to ${total}: they must agree`);
  }
  targets.forEach((labels, r) => {
    const wrong = labels.find((label) => !Number.isInteger(label) || label < 1 || label >= classes);
    if (wrong === undefined) return;
    throw new UsageError(
      `ctcLoss: target ${r} holds ${wrong}, expected labels from 1 to ${classes - 1} (${BLANK} is the blank)`,
    );
  });
}

/** Whether labels fit: one frame each, and a blank between equal neighbours. */
const fits = (labels: readonly number[], frames: number): boolean =>
  labels.reduce((needed, label, l) => needed + (label === labels[l - 1] ? 2 : 1), 0) <= frames;

/**
 * CTC loss of logits [Σ lengths, classes], before log-softmax, of recordings of `lengths` frames one after another, against
 * the labels of each. The recursion over alignments runs in float64 on log-probabilities.
 *
 *   dlogits[t, c] = softmax(logits)[t, c] - p(class c at frame t | labels)
 */
export function ctcLoss(
  logits: Variable,
  lengths: readonly number[],
  targets: readonly (readonly number[])[],
): CtcLoss {
  requireRank('ctcLoss', 'logits', logits.value, 2, '[frames, classes]');
  const [rows, classes] = logits.shape as [number, number];
  requireTargets(rows, classes, lengths, targets);
  const logProbs = flat(logSoftmax(logits.value));
  let from = 0;
  const alignments = lengths.map((frames, r) => {
    const labels = targets[r]!;
    const alignment = fits(labels, frames) ? align(logProbs, classes, from, frames, labels) : null;
    from += frames;
    return alignment;
  });
  const perRecording = alignments.map((alignment) => alignment?.loss ?? 0);
  const total = Float32Array.of(perRecording.reduce((sum, loss) => sum + loss, 0));
  const loss = record([logits], view(total, [1]), (dy) => {
    const gradient = softmax(logits.value);
    const numbers = flat(gradient);
    let row = 0;
    alignments.forEach((alignment, r) => {
      if (alignment !== null) subtractPosteriors(alignment, logProbs, classes, numbers);
      else numbers.fill(0, row * classes, (row + lengths[r]!) * classes);
      row += lengths[r]!;
    });
    logits.accumulate(times(gradient, flat(dy)[0]!));
  });
  return { loss, perRecording, infeasible: alignments.filter((alignment) => alignment === null).length };
}

/** scale · x; x itself where the scale is 1. */
const times = (x: Tensor, scale: number): Tensor => (scale === 1 ? x : scaledAdd(x, scale - 1, x));
