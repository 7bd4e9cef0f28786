/** All numbers of a run, and how a step moves them. */
import { addInto } from '../../ops/elementwise.js';
import { moveAverage } from '../../ops/optimizer.js';
import { createRandom, keep, type Tensor, view, zeros } from '../../tensor/index.js';
import { adamwStep, averagingDecay, clippingFactor, globalNorm } from '../optimizer/index.js';
import type { Layouts, RunNumbers } from './checkpoint-file.js';
import { Layout } from './layout.js';
import { mixSeed, nameSeed, PURPOSE } from './seeds.js';
import type { Settings } from './settings.js';
import type { TrainingState, Workload } from './workload.js';

/** A flat array as a tensor. */
const vector = (numbers: Float32Array): Tensor => view(numbers, [numbers.length]);

export interface Move {
  /** From 1. */
  readonly step: number;
  /** Learning rate. */
  readonly rate: number;
  /** Of the gradient of the mean over the items of the batch. */
  readonly norm: number;
  readonly items: number;
}

export class RunState {
  readonly layouts: Layouts;
  readonly numbers: RunNumbers;
  private readonly gradient: Float32Array;
  private readonly state: TrainingState;

  constructor(
    private readonly workload: Workload,
    private readonly settings: Settings,
  ) {
    const [parameters, buffers] = [new Layout(workload.parameters), new Layout(workload.buffers)];
    this.layouts = { parameters, buffers };
    const floats = ({ size }: Layout) => keep(zeros([size])).data;
    this.numbers = {
      weights: floats(parameters),
      buffers: floats(buffers),
      averages: settings.averaging === null ? null : floats(parameters),
      first: floats(parameters),
      second: floats(parameters),
    };
    this.gradient = floats(parameters);
    this.state = {
      parameters: parameters.views(this.numbers.weights),
      buffers: buffers.views(this.numbers.buffers),
    };
  }

  /** Draws all weights anew, or takes them from `initial` where they are there. */
  initialise(initial: ReadonlyMap<string, Tensor>): void {
    const { parameters, buffers } = this.layouts;
    const { weights, averages } = this.numbers;
    for (const { name, offset, size } of parameters.placed) {
      const random = createRandom(nameSeed(this.settings.seed, name));
      this.workload.parameters.get(name)?.initialise(weights.subarray(offset, offset + size), random);
    }
    for (const { name, offset, size } of buffers.placed) {
      const value = this.workload.buffers.get(name)?.initial ?? 0;
      this.numbers.buffers.fill(value, offset, offset + size);
    }
    parameters.fillKnown(weights, initial, 'initial');
    buffers.fillKnown(this.numbers.buffers, initial, 'initial');
    averages?.set(weights);
  }

  /** What is validated and used in the end. */
  get evaluated(): Float32Array {
    return this.numbers.averages ?? this.numbers.weights;
  }

  /** Sums the gradients of all shards in their order. Gives the norm of that of the mean over `items`. */
  collect(gradients: readonly Float32Array[], items: number): number {
    const sum = this.gradient;
    const [first, second, ...others] = gradients as [Float32Array, ...Float32Array[]];
    if (second) addInto(vector(first), vector(second), vector(sum));
    else sum.set(first);
    for (const part of others) addInto(vector(sum), vector(part), vector(sum));
    return globalNorm(sum) / items;
  }

  /** Moves the weights by what was collected, whose norm is `norm`; then buffers and averages follow. */
  move({ step, rate, norm, items }: Move, reported: ReadonlyMap<string, Float64Array>): void {
    const { numbers, gradient, settings, layouts } = this;
    const clipping = settings.clip === null ? 1 : clippingFactor(norm, settings.clip);
    const { decayed } = layouts.parameters;
    adamwStep({ ...numbers, parameters: numbers.weights, gradient }, settings.optimizer, {
      step,
      rate,
      gradientFactor: clipping / items,
      decayed,
    });
    const random = createRandom(mixSeed(settings.seed, PURPOSE.absorb, step));
    this.workload.absorb?.(this.state, reported, { step, random });
    if (numbers.averages && settings.averaging !== null) {
      moveAverage(numbers.averages, numbers.weights, 1 - averagingDecay(settings.averaging, step));
    }
  }

  /** Name of a tensor that holds a number that is none, NaN or infinite; null where all is well. */
  firstBad(): string | null {
    const { numbers, layouts } = this;
    const parts = [
      [numbers.weights, layouts.parameters],
      [numbers.buffers, layouts.buffers],
      [numbers.first, layouts.parameters],
      [numbers.second, layouts.parameters],
    ] as const;
    for (const [values, { placed }] of parts) {
      for (const { name, offset, size } of placed) {
        if (!Number.isFinite(globalNorm(values.subarray(offset, offset + size)))) return name;
      }
    }
    return null;
  }
}
