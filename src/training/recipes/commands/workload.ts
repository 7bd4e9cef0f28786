/** The recogniser in training: utterances drawn anew in each epoch, and the losses of a coded network on them. */
import { ctcLoss, scalarOf, scaledAdd } from '../../../autograd/index.js';
import { logSoftmax } from '../../../ops/index.js';
import { greedyDecode, wordErrors } from '../../../tasks/index.js';
import { createRandom } from '../../../tensor/index.js';
import { CodedNetwork } from '../../networks/coded-network.js';
import { trainableConformer } from '../../networks/conformer.js';
import type { PackedSteps, Pass } from '../../networks/network.js';
import { mixSeed } from '../../run/seeds.js';
import type { BatchLoss, TrainingState, Workload } from '../../run/workload.js';
import { type CodingOptions, codingLoss, codingOf, drawCodebooks } from '../coding.js';
import { type FeatureAugmentation, Features, type StoredStatistics } from '../features.js';
import { loadMaterial, type Material, type Source } from './material.js';
import { FRONT_END, NETWORK, SPLIT_LAYER } from './settings.js';
import { type Spoken, Utterances } from './utterances.js';

export interface CommandsOptions {
  /** Folder of the data. */
  readonly data: string;
  /** Manifest folder of synthetic voices; null for none. */
  readonly voices: string | null;
  readonly statistics: StoredStatistics;
  /** Utterances of a batch, and batches that are called an epoch. */
  readonly batch: number;
  readonly batchesPerEpoch: number;
  readonly dropout: number;
  /** How often each source is drawn from where all have a word. */
  readonly shares: Readonly<Record<Source, number>>;
  /** Null: the continuous network alone. */
  readonly coding: CodingOptions | null;
}

interface Batch {
  readonly features: PackedSteps;
  readonly targets: readonly (readonly number[])[];
}

const AUGMENTATION: FeatureAugmentation = {
  warp: [0.88, 1.14],
  masks: { timeMasks: 2, mostFrames: 12, frequencyMasks: 2, mostFeatures: 8, fill: 0 },
};

export class CommandsWorkload implements Workload<Batch> {
  readonly parameters: CodedNetwork['parameters'];
  readonly buffers: CodedNetwork['buffers'];
  readonly validationItems: number;
  private readonly coded: CodedNetwork;
  private readonly features: Features;
  private readonly utterances: Utterances;
  private readonly validationSet: readonly (Spoken & { readonly group: string })[];

  constructor(
    private readonly material: Material,
    private readonly options: CommandsOptions,
  ) {
    const network = trainableConformer(NETWORK, SPLIT_LAYER, { dropout: options.dropout });
    this.coded = new CodedNetwork(network, codingOf(options.coding, NETWORK.encoder.width));
    this.parameters = this.coded.parameters;
    this.buffers = this.coded.buffers;
    this.features = new Features(FRONT_END, options.statistics);
    this.utterances = new Utterances(material, options.shares);
    this.validationSet = (['unseen', 'known'] as const).flatMap((group) =>
      this.utterances.test(material.validation[group], 1).map((spoken) => ({ ...spoken, group })),
    );
    this.validationItems = this.validationSet.length;
  }

  batches(epoch: number, seed: number): number[][] {
    const random = createRandom(mixSeed(seed, epoch));
    const { batch, batchesPerEpoch } = this.options;
    return Array.from({ length: batchesPerEpoch }, () =>
      Array.from({ length: batch }, () => this.utterances.draw(random)),
    );
  }

  describe(item: number): string {
    return this.material.loaded.clips[this.material.training[item]!.clip]!.path;
  }

  async prepare(
    items: readonly number[],
    set: 'training' | 'validation',
    random: () => number,
  ): Promise<Batch> {
    const spoken = items.map((item) =>
      set === 'training' ? this.utterances.training(item, random) : this.validationSet[item]!,
    );
    const recordings = spoken.map(({ samples }) => samples);
    const augmentation = { random, settings: AUGMENTATION };
    return {
      features:
        set === 'training' ? this.features.pack(recordings, augmentation) : this.features.pack(recordings),
      targets: spoken.map(({ labels }) => labels),
    };
  }

  loss(pass: Pass, { features, targets }: Batch): BatchLoss {
    const { coding } = this.options;
    const stages = coding && drawCodebooks(coding, targets.length, pass.random);
    const { logits, quantization } = this.coded.forward(pass, features, stages);
    const { loss: ctc, infeasible } = ctcLoss(logits.x, logits.lengths, targets);
    const metrics = { ctc: scalarOf(ctc), infeasible };
    if (coding === null || quantization === null) return { loss: ctc, metrics };
    const terms = codingLoss(coding, quantization);
    return { loss: scaledAdd(ctc, 1, terms.loss), metrics: { ...metrics, ...terms.metrics } };
  }

  absorb(
    state: TrainingState,
    reported: ReadonlyMap<string, Float64Array>,
    at: { readonly random: () => number },
  ): void {
    this.coded.absorb(state, reported, at);
  }

  validate(pass: Pass, { features, targets }: Batch): Record<string, number> {
    const sums: Record<string, number> = { words: targets.reduce((sum, { length }) => sum + length, 0) };
    for (let k = 0; k <= (this.options.coding?.codebooks ?? 0); k++) {
      const { logits, quantization } = this.coded.forward(
        pass,
        features,
        k === 0 ? null : targets.map(() => k),
      );
      const logProbs = logSoftmax(logits.x.value);
      let at = 0;
      let errors = 0;
      logits.lengths.forEach((frames, r) => {
        const heard = greedyDecode(logProbs.lo(at, 0).hi(frames, NETWORK.classes));
        at += frames;
        errors += wordErrors(
          targets[r]!.map(String),
          heard.map(({ label }) => String(label)),
        );
      });
      sums[`errors${k}`] = errors;
      if (quantization === null) continue;
      sums[`bits${k}`] = quantization.bits().reduce((sum, bits) => sum + bits, 0);
    }
    sums['seconds'] =
      features.lengths.reduce((sum, frames) => sum + frames, 0) *
      (FRONT_END.hopSamples / FRONT_END.sampleRate);
    return sums;
  }

  /** The mean over rate points, the continuous one among them, of the part of all words that was right. */
  score(sums: Readonly<Record<string, number>>): { readonly score: number } & Record<string, number> {
    const most = this.options.coding?.codebooks ?? 0;
    const values: Record<string, number> = {};
    for (let k = 0; k <= most; k++) {
      values[`wordErrors${k}`] = sums[`errors${k}`]! / sums['words']!;
      if (k > 0) values[`bitsPerSecond${k}`] = sums[`bits${k}`]! / sums['seconds']!;
    }
    const rates = Array.from({ length: most + 1 }, (_, k) => values[`wordErrors${k}`]!);
    return { score: 1 - rates.reduce((sum, rate) => sum + rate, 0) / rates.length, ...values };
  }
}

export async function createWorkload(options: unknown): Promise<Workload<Batch>> {
  const wanted = options as CommandsOptions;
  return new CommandsWorkload(await loadMaterial(wanted.data, wanted.voices), wanted);
}
