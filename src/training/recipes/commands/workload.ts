/** The recogniser in training: utterances drawn anew in each epoch, and the losses of a coded network on them. */
import type { FrontEndConfig } from '../../../audio/log-mel.js';
import { ctcLoss, scalarOf, scaledAdd, type Variable } from '../../../autograd/index.js';
import type { ConformerCtcConfig } from '../../../nn/index.js';
import { logSoftmax, softmax } from '../../../ops/index.js';
import { greedyDecode, wordErrors } from '../../../tasks/index.js';
import { createRandom, flat } from '../../../tensor/index.js';
import { CodedNetwork } from '../../networks/coded-network.js';
import { trainableConformer } from '../../networks/conformer.js';
import type { PackedSteps, Pass } from '../../networks/network.js';
import { mixSeed } from '../../run/seeds.js';
import type { BatchLoss, TrainingState } from '../../run/workload.js';
import { type CodingOptions, codingLoss, codingOf, drawCodebooks } from '../coding.js';
import { drawFrom } from '../draw-from.js';
import { type FeatureAugmentation, Features, type StoredStatistics } from '../features.js';
import type { CodedWorkload } from '../phases.js';
import { loadMaterial, type Material, type Source } from './material.js';
import { GROUPS } from './settings.js';
import { type Spoken, Utterances } from './utterances.js';

export interface CommandsOptions {
  /** Folder of the data. */
  readonly data: string;
  /** Manifest folder of synthetic voices; null for none. */
  readonly voices: string | null;
  readonly frontEnd: FrontEndConfig;
  readonly network: ConformerCtcConfig;
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
  /** Of validation: whose speakers are new, and whose are not. */
  readonly groups: readonly Group[];
}

type Group = (typeof GROUPS)[number];

const AUGMENTATION: FeatureAugmentation = {
  warp: [0.88, 1.14],
  masks: { timeMasks: 1, mostFrames: 12, frequencyMasks: 2, mostFeatures: 6, fill: 0 },
};

export class CommandsWorkload implements CodedWorkload<Batch> {
  readonly parameters: CodedNetwork['parameters'];
  readonly buffers: CodedNetwork['buffers'];
  readonly validationItems: number;
  readonly coded: CodedNetwork;
  private readonly features: Features;
  private readonly utterances: Utterances;
  private readonly validationSet: readonly (Spoken & { readonly group: Group })[];

  constructor(
    private readonly material: Material,
    private readonly options: CommandsOptions,
  ) {
    const { coding, dropout, network } = options;
    const { layers, width } = network.encoder;
    const trainable = trainableConformer(network, coding?.splitLayer ?? layers, { dropout });
    this.coded = new CodedNetwork(trainable, codingOf(coding, width));
    this.parameters = this.coded.parameters;
    this.buffers = this.coded.buffers;
    this.features = new Features(options.frontEnd, options.statistics);
    this.utterances = new Utterances(material, options.shares);
    this.validationSet = GROUPS.flatMap((group) =>
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
    if (set === 'validation') {
      const spoken = items.map((item) => this.validationSet[item]!);
      return {
        features: this.features.pack(spoken.map(({ samples }) => samples)),
        targets: spoken.map(({ labels }) => labels),
        groups: spoken.map(({ group }) => group),
      };
    }
    const spoken = items.map((item) => this.utterances.training(item, random));
    const recordings = spoken.map(({ samples }) => samples);
    return {
      features: this.features.pack(recordings, { random, settings: AUGMENTATION }),
      targets: spoken.map(({ labels }) => labels),
      groups: [],
    };
  }

  taskLoss = ({ x, lengths }: PackedSteps, { targets }: Pick<Batch, 'targets'>): Variable =>
    ctcLoss(x, lengths, targets).loss;

  /** Of each step a class, drawn by itself; what these alignments spell. */
  sampled({ x, lengths }: PackedSteps, batch: Batch, random: () => number): Batch {
    const { classes } = this.options.network;
    const chances = flat(softmax(x.value));
    let at = 0;
    const targets = lengths.map((steps) => {
      const spelt: number[] = [];
      let before = 0;
      for (const end = at + steps; at < end; at++) {
        const drawn = drawFrom(chances.subarray(at * classes, (at + 1) * classes), random);
        if (drawn !== before && drawn !== 0) spelt.push(drawn);
        before = drawn;
      }
      return spelt;
    });
    return { ...batch, targets };
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

  validate(pass: Pass, batch: Batch): Record<string, number> {
    const { features, targets, groups } = batch;
    const { network, frontEnd } = this.options;
    const sums: Record<string, number> = {};
    const add = (name: string, value: number): void => {
      sums[name] = (sums[name] ?? 0) + value;
    };
    targets.forEach(({ length }, r) => {
      add(`${groups[r]}Words`, length);
    });
    for (let k = 0; k <= this.codebooks; k++) {
      const stages = k === 0 ? null : targets.map(() => k);
      const { logits, quantization } = this.coded.forward(pass, features, stages);
      add(`loss${k}`, scalarOf(this.taskLoss(logits, batch)));
      const logProbs = logSoftmax(logits.x.value);
      let at = 0;
      logits.lengths.forEach((frames, r) => {
        const heard = greedyDecode(logProbs.lo(at, 0).hi(frames, network.classes));
        at += frames;
        const words = heard.map(({ label }) => String(label));
        add(`${groups[r]}Errors${k}`, wordErrors(targets[r]!.map(String), words));
      });
      for (const bits of quantization?.bits() ?? []) add(`bits${k}`, bits);
    }
    const frames = features.lengths.reduce((sum, length) => sum + length, 0);
    add('seconds', frames * (frontEnd.hopSamples / frontEnd.sampleRate));
    return sums;
  }

  /**
   * The part of all words that was right, the mean over rate points with the continuous network among them; word error rates
   * and bits a second of each.
   */
  score(sums: Readonly<Record<string, number>>): { readonly score: number } & Record<string, number> {
    const of = (name: string): number => sums[name] ?? 0;
    const total = GROUPS.reduce((sum, group) => sum + of(`${group}Words`), 0);
    const values: Record<string, number> = {};
    let wrong = 0;
    for (let k = 0; k <= this.codebooks; k++) {
      for (const group of GROUPS) {
        const [errors, words] = [of(`${group}Errors${k}`), of(`${group}Words`)];
        if (words > 0) values[`${group}${k}`] = errors / words;
        wrong += errors / total;
      }
      values[`loss${k}`] = of(`loss${k}`) / this.validationItems;
      if (k > 0) values[`bitsPerSecond${k}`] = of(`bits${k}`) / of('seconds');
    }
    return { score: 1 - wrong / (this.codebooks + 1), ...values };
  }

  private get codebooks(): number {
    return this.options.coding?.codebooks ?? 0;
  }
}

export async function createWorkload(options: unknown): Promise<CommandsWorkload> {
  const wanted = options as CommandsOptions;
  return new CommandsWorkload(await loadMaterial(wanted.data, wanted.voices), wanted);
}
