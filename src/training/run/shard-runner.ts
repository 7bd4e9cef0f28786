/** The passes of one thread: its copy of all weights, and what it does for a shard of a batch. */
import { constant, scalarOf, Tape, type Variable } from '../../autograd/index.js';
import { createRandom, flat, keep, ModelError, scope, type Tensor, zeros } from '../../tensor/index.js';
import type { Pass } from '../networks/network.js';
import { Layout } from './layout.js';
import type { Workload } from './workload.js';

/** Some items, and the random numbers that they are read and run with. */
export interface Job {
  /** Tells jobs of a set apart. */
  readonly id: number;
  readonly set: 'training' | 'validation';
  readonly items: readonly number[];
  readonly prepareSeed: number;
  readonly passSeed: number;
}

export interface ShardResult {
  /** Sums over the items. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly reported: ReadonlyMap<string, Float64Array>;
}

export type Sums = Readonly<Record<string, number>>;

/** Adds numbers to those of the same name. */
export function addReport(
  reported: Map<string, Float64Array>,
  name: string,
  values: ArrayLike<number>,
): void {
  const sum = reported.get(name);
  if (sum === undefined) {
    reported.set(name, Float64Array.from(values));
    return;
  }
  if (sum.length !== values.length) {
    throw new ModelError(`report ${name}: ${values.length} numbers, and ${sum.length} before`);
  }
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}

export class ShardRunner<B> {
  private readonly parameterLayout: Layout;
  private readonly weights: Tensor;
  private readonly bufferNumbers: Tensor;
  private readonly parameters: ReadonlyMap<string, Tensor>;
  private readonly buffers: ReadonlyMap<string, Tensor>;
  /** Batches that are being read, or are, for jobs to come. */
  private readonly announced = new Map<string, Promise<B>>();

  constructor(private readonly workload: Workload<B>) {
    this.parameterLayout = new Layout(workload.parameters);
    const bufferLayout = new Layout(workload.buffers);
    this.weights = keep(zeros([this.parameterLayout.size]));
    this.bufferNumbers = keep(zeros([bufferLayout.size]));
    this.parameters = this.parameterLayout.views(this.weights.data);
    this.buffers = bufferLayout.views(this.bufferNumbers.data);
  }

  /** Copies the weights and buffers that the next passes work with. */
  load(weights: Float32Array, buffers: Float32Array): void {
    this.weights.data.set(weights);
    this.bufferNumbers.data.set(buffers);
  }

  /** Begins to read the items of a job to come. */
  announce(job: Job): void {
    const batch = this.read(job);
    // Whoever waits for it hears of the error.
    batch.catch(() => undefined);
    this.announced.set(`${job.set} ${job.id}`, batch);
  }

  private async read({ items, set, prepareSeed }: Job): Promise<B> {
    return this.workload.prepare(items, set, createRandom(prepareSeed));
  }

  private prepared(job: Job): Promise<B> {
    const key = `${job.set} ${job.id}`;
    const known = this.announced.get(key);
    this.announced.delete(key);
    return known ?? this.read(job);
  }

  /** Runs forward and backward. Writes the gradient of the sum of losses to `gradient`, laid out as the weights are. */
  async train(job: Job, gradient: Float32Array): Promise<ShardResult> {
    const batch = await this.prepared(job);
    const reported = new Map<string, Float64Array>();
    let result: ShardResult | undefined;
    scope(() => {
      const tape = new Tape();
      const leaves = new Map<string, Variable>();
      const pass = this.pass(true, job.passSeed, reported, (name, value) => {
        const leaf = leaves.get(name) ?? tape.variable(value);
        leaves.set(name, leaf);
        return leaf;
      });
      const { loss, metrics } = this.workload.loss(pass, batch);
      // A loss that no parameter reaches has no gradient.
      if (loss.tape !== null) tape.backward(loss);
      for (const { name, offset, size } of this.parameterLayout.placed) {
        const arrived = leaves.get(name)?.gradient;
        if (arrived) gradient.set(flat(arrived), offset);
        else gradient.fill(0, offset, offset + size);
      }
      result = { loss: scalarOf(loss), metrics, reported };
      return NOTHING;
    });
    return result!;
  }

  async validate(job: Job): Promise<Sums> {
    const batch = await this.prepared(job);
    let sums: Sums | undefined;
    scope(() => {
      const pass = this.pass(false, job.passSeed, new Map(), (_, value) => constant(value));
      sums = this.workload.validate(pass, batch);
      return NOTHING;
    });
    return sums!;
  }

  private pass(
    training: boolean,
    seed: number,
    reported: Map<string, Float64Array>,
    variable: (name: string, value: Tensor) => Variable,
  ): Pass {
    return {
      training,
      random: createRandom(seed),
      parameter: (name) => variable(name, find(this.parameters, name, 'parameter')),
      buffer: (name) => find(this.buffers, name, 'buffer'),
      report: (name, values) => addReport(reported, name, values),
    };
  }
}

/** A scope gives a tensor; these have their results elsewhere. */
const NOTHING = zeros([0]);

function find(tensors: ReadonlyMap<string, Tensor>, name: string, kind: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor) return tensor;
  throw new ModelError(`there is no ${kind} ${name}; the workload has ${[...tensors.keys()].join(', ')}`);
}
