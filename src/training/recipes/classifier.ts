/** Classifiers in training: clips, augmented and mixed, and the losses of a coded network on them. */
import { crossEntropy, scalarOf, scaledAdd, type Variable } from '../../autograd/index.js';
import { softmax } from '../../ops/index.js';
import { createRandom, flat, type Tensor } from '../../tensor/index.js';
import { mix, type Random, shuffled } from '../augmentation/index.js';
import { CodedNetwork } from '../networks/coded-network.js';
import type { PackedSteps, Pass, TrainableNetwork } from '../networks/network.js';
import { mixSeed } from '../run/seeds.js';
import type { BatchLoss, TrainingState } from '../run/workload.js';
import { drawMixup, mixTargets, oneHot, smoothTargets } from '../targets.js';
import { type CodingOptions, codingLoss, codingOf, drawCodebooks } from './coding.js';
import { drawFrom } from './draw-from.js';
import type { FeatureAugmentation, Features } from './features.js';
import type { CodedWorkload } from './phases.js';

/** A clip that is to be classified. */
export interface Labelled {
  /** For messages. */
  readonly path: string;
  readonly label: number;
  /** Samples as long as a clip. */
  samples(): Float32Array;
}

export interface ClassifierTraining {
  readonly network: TrainableNetwork;
  /** Numbers of a step at the cut. */
  readonly stepWidth: number;
  readonly classes: number;
  readonly coding: CodingOptions | null;
  readonly features: Features;
  readonly augmentation: FeatureAugmentation;
  readonly batch: number;
  /** Shape of the distribution that weights of mixup are drawn from; 0: no mixup. */
  readonly mixup: number;
  readonly smoothing: number;
  readonly training: readonly Labelled[];
  readonly validation: readonly Labelled[];
  /** Labels that the score is of; all where this is left out. */
  readonly scored?: (label: number) => boolean;
  augment(samples: Float32Array, random: Random): Float32Array;
}

interface Batch {
  readonly features: PackedSteps;
  readonly labels: readonly number[];
  /** Probabilities [clips, classes]. */
  readonly targets: Tensor;
}

export class ClassifierWorkload implements CodedWorkload<Batch> {
  readonly coded: CodedNetwork;
  readonly parameters: CodedNetwork['parameters'];
  readonly buffers: CodedNetwork['buffers'];
  readonly validationItems: number;

  constructor(private readonly of: ClassifierTraining) {
    this.coded = new CodedNetwork(of.network, codingOf(of.coding, of.stepWidth));
    this.parameters = this.coded.parameters;
    this.buffers = this.coded.buffers;
    this.validationItems = of.validation.length;
  }

  batches(epoch: number, seed: number): number[][] {
    const { training, batch } = this.of;
    const random = createRandom(mixSeed(seed, epoch));
    const order = shuffled(random, [...training.keys()]);
    // The last clips are too few for a batch of their own; other epochs leave out others.
    return Array.from({ length: batchesOf(order.length, batch) }, (_, b) =>
      order.slice(b * batch, (b + 1) * batch),
    );
  }

  describe(item: number): string {
    return this.of.training[item]!.path;
  }

  async prepare(items: readonly number[], set: 'training' | 'validation', random: Random): Promise<Batch> {
    const { features, augmentation, classes, mixup, smoothing, augment } = this.of;
    const clips = items.map((item) => this.of[set][item]!);
    const labels = clips.map(({ label }) => label);
    const targets = oneHot(labels, classes);
    if (set === 'validation') {
      return { features: features.pack(clips.map((clip) => clip.samples())), labels, targets };
    }
    const augmented = clips.map((clip) => augment(clip.samples(), random));
    const mixed = drawMixup(clips.length, mixup, random);
    const samples = augmented.map((x, n) => mix(x, augmented[mixed.partners[n]!]!, mixed.weights[n]!));
    return {
      features: features.pack(samples, { random, settings: augmentation }),
      labels,
      targets: smoothTargets(mixTargets(targets, mixed), smoothing),
    };
  }

  taskLoss = (logits: PackedSteps, { targets }: Pick<Batch, 'targets'>): Variable =>
    crossEntropy(logits.x, targets);

  sampled(logits: PackedSteps, batch: Batch, random: Random): Batch {
    const { classes } = this.of;
    const chances = flat(softmax(logits.x.value));
    const labels = batch.labels.map((_, n) =>
      drawFrom(chances.subarray(n * classes, (n + 1) * classes), random),
    );
    return { ...batch, labels, targets: oneHot(labels, classes) };
  }

  loss(pass: Pass, { features, labels, targets }: Batch): BatchLoss {
    const { coding } = this.of;
    const stages = coding && drawCodebooks(coding, labels.length, pass.random);
    const { logits, quantization } = this.coded.forward(pass, features, stages);
    const loss = this.taskLoss(logits, { targets });
    const metrics = { crossEntropy: scalarOf(loss) };
    if (coding === null || quantization === null) return { loss, metrics };
    const terms = codingLoss(coding, quantization);
    return { loss: scaledAdd(loss, 1, terms.loss), metrics: { ...metrics, ...terms.metrics } };
  }

  absorb(
    state: TrainingState,
    reported: ReadonlyMap<string, Float64Array>,
    at: { readonly random: () => number },
  ): void {
    this.coded.absorb(state, reported, at);
  }

  validate(pass: Pass, batch: Batch): Record<string, number> {
    const { features, labels } = batch;
    const { scored = () => true, coding, classes } = this.of;
    const sums: Record<string, number> = { scored: labels.filter(scored).length, clips: labels.length };
    for (let k = 0; k <= (coding?.codebooks ?? 0); k++) {
      const stages = k === 0 ? null : labels.map(() => k);
      const { logits, quantization } = this.coded.forward(pass, features, stages);
      const found = labels.map((_, n) =>
        largest(flat(logits.x.value).subarray(n * classes, (n + 1) * classes)),
      );
      sums[`right${k}`] = labels.filter((label, n) => scored(label) && found[n] === label).length;
      sums[`all${k}`] = labels.filter((label, n) => found[n] === label).length;
      sums[`loss${k}`] = scalarOf(this.taskLoss(logits, batch));
      if (quantization === null) continue;
      sums[`bits${k}`] = quantization.bits().reduce((sum, bits) => sum + bits, 0);
    }
    return sums;
  }

  /** The mean over rate points, the continuous one among them, of the part of the clips that was labelled right. */
  score(sums: Readonly<Record<string, number>>): { readonly score: number } & Record<string, number> {
    const most = this.of.coding?.codebooks ?? 0;
    const values: Record<string, number> = {};
    let sum = 0;
    for (let k = 0; k <= most; k++) {
      const right = sums[`right${k}`]! / sums['scored']!;
      values[`right${k}`] = right;
      values[`all${k}`] = sums[`all${k}`]! / sums['clips']!;
      values[`loss${k}`] = sums[`loss${k}`]! / sums['clips']!;
      sum += right;
      if (k > 0) values[`bitsPerClip${k}`] = sums[`bits${k}`]! / sums['clips']!;
    }
    return { score: sum / (most + 1), ...values };
  }
}

/** Whole batches of an epoch; one where there are too few clips for that. */
export const batchesOf = (clips: number, batch: number): number => Math.max(1, Math.floor(clips / batch));

function largest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Samples cut or filled with silence to `length`. */
export function clipOf(samples: Float32Array, length: number): Float32Array {
  if (samples.length === length) return samples;
  const out = new Float32Array(length);
  out.set(samples.subarray(0, length));
  return out;
}
