/** What a classifier should say: one class, a smoothed one, or a mixture of two. */
import { requireShape } from '../ops/index.js';
import { flat, type Tensor, UsageError, zeros } from '../tensor/index.js';

/** Probabilities [n, classes] that are 1 at each class number. */
export function oneHot(labels: readonly number[], classes: number): Tensor {
  const targets = zeros([labels.length, classes]);
  labels.forEach((label, n) => {
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new UsageError(`oneHot: label ${n} is ${label}, expected a class from 0 to ${classes - 1}`);
    }
    targets.set(n, label, 1);
  });
  return targets;
}

const blend = (a: Tensor, b: (i: number) => number, weight: (i: number) => number): Tensor => {
  const out = zeros(a.shape);
  const source = flat(a);
  for (let i = 0; i < source.length; i++) out.data[i] = weight(i) * source[i]! + (1 - weight(i)) * b(i);
  return out;
};

/** Shares `smoothing` of the probability out evenly over all classes (Szegedy et al. 2016); targets [n, classes]. */
export function smoothTargets(targets: Tensor, smoothing: number): Tensor {
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new UsageError(`smoothTargets: smoothing is ${smoothing}, expected a number from 0 to 1`);
  }
  const classes = targets.shape[targets.shape.length - 1]!;
  return blend(
    targets,
    () => 1 / classes,
    () => 1 - smoothing,
  );
}

/** Which item is mixed into each item of a batch, and how much of the item itself stays. */
export interface Mixup {
  readonly partners: readonly number[];
  /** From 0 to 1: item · weight + partner · (1 - weight). */
  readonly weights: readonly number[];
}

/** A number of a Beta(alpha, alpha) distribution (Jöhnk 1964); quick for alpha up to about 2. */
function drawBeta(alpha: number, random: () => number): number {
  // The distribution that small alpha comes close to; and 1 / alpha stays finite.
  if (alpha < 1e-9) return random() < 0.5 ? 0 : 1;
  for (;;) {
    // In logarithms: for small alpha the powers themselves underflow.
    const [a, b] = [Math.log(1 - random()) / alpha, Math.log(1 - random()) / alpha];
    if (Math.exp(a) + Math.exp(b) <= 1) return 1 / (1 + Math.exp(b - a));
  }
}

/**
 * Draws partners and weights for mixup (Zhang et al. 2018): partners are a random order of the batch, weights come from
 * Beta(alpha, alpha). With alpha 0 every item stays as it is.
 */
export function drawMixup(items: number, alpha: number, random: () => number): Mixup {
  if (!(alpha >= 0 && alpha < Infinity)) {
    throw new UsageError(`drawMixup: alpha is ${alpha}, expected a number from 0 on`);
  }
  const partners = Array.from({ length: items }, (_, i) => i);
  for (let i = items - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [partners[i], partners[j]] = [partners[j]!, partners[i]!];
  }
  return { partners, weights: partners.map(() => (alpha === 0 ? 1 : drawBeta(alpha, random))) };
}

/** Targets [n, classes] of mixed items. Inputs are mixed by the same weights. */
export function mixTargets(targets: Tensor, { partners, weights }: Mixup): Tensor {
  const [n, classes] = targets.shape as [number, number];
  requireShape('mixTargets', 'targets', targets, [partners.length, classes]);
  const source = flat(targets);
  if (partners.some((p) => !(p >= 0 && p < n))) throw new UsageError('mixTargets: a partner is no item');
  const row = (i: number) => Math.floor(i / classes);
  return blend(
    targets,
    (i) => source[partners[row(i)]! * classes + (i % classes)]!,
    (i) => weights[row(i)]!,
  );
}
