/** All numbers of a run, and how a step moves them. */
import { addInto } from '../../ops/elementwise.js';
import { createRandom, keep, type Tensor, view, zeros } from '../../tensor/index.js';
import { adamwStep, averagingDecay, clippingFactor, globalNorm, moveAverage } from '../optimizer/index.js';
import type { Layouts, RunNumbers } from './checkpoint-file.js';
import { Layout } from './layout.js';
import { mixSeed, nameSeed, PURPOSE } from './seeds.js';
import type { Settings } from './settings.js';
import type { TrainingState, Workload } from './workload.js';

/** A flat array as a tensor. */
const vector = (numbers: Float32Array): Tensor => view(numbers, [numbers.length]);

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

  /** Sums the gradients of all shards in their order, and makes them that of the mean over `items`. Gives its norm. */
  collect(gradients: readonly Float32Array[], items: number): number {
    const { gradient } = this;
    const [first, ...others] = gradients as [Float32Array, ...Float32Array[]];
    gradient.set(first);
    for (const part of others) addInto(vector(gradient), vector(part), vector(gradient));
    for (let i = 0; i < gradient.length; i++) gradient[i]! /= items;
    return globalNorm(gradient);
  }

  /** Moves the weights by the gradient that was collected, whose norm is `norm`; then buffers and averages follow. */
  move(step: number, rate: number, norm: number, reported: ReadonlyMap<string, Float64Array>): void {
    const { numbers, gradient, settings, layouts } = this;
    const factor = settings.clip === null ? 1 : clippingFactor(norm, settings.clip);
    if (factor < 1) for (let i = 0; i < gradient.length; i++) gradient[i]! *= factor;
    const { decayed } = layouts.parameters;
    adamwStep({ ...numbers, gradient }, settings.optimizer, { step, rate, decayed });
    const random = createRandom(mixSeed(settings.seed, PURPOSE.absorb, step));
    this.workload.absorb?.(this.state, reported, { step, random });
    if (numbers.averages && settings.averaging !== null) {
      moveAverage(numbers.averages, numbers.weights, averagingDecay(settings.averaging, step));
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
