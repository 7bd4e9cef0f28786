/**
 * A network with the quantiser between its halves, as a codec runs it:
 *
 *   features -> prefix -> pooling -> quantiser -> repetition -> suffix -> logits
 *
 * With `stages` null nothing stands between the halves: the continuous network that the codes are compared with.
 */
import type { Tensor } from '../../tensor/index.js';
import type { Quantization, TrainableQuantizer } from '../quantizer/index.js';
import type { TrainingState } from '../run/workload.js';
import type { PackedSteps, ParameterSpec, Pass, TrainableNetwork } from './network.js';
import type { Pooling } from './pooling.js';

export interface CodedPass {
  readonly logits: PackedSteps;
  /** Null where nothing was quantised. */
  readonly quantization: Quantization | null;
}

export class CodedNetwork {
  readonly parameters: ReadonlyMap<string, ParameterSpec>;
  readonly buffers: ReadonlyMap<string, { readonly shape: readonly number[]; readonly initial: number }>;

  constructor(
    readonly network: TrainableNetwork,
    /** Null before there is one: then every pass is continuous. */
    readonly coding: { readonly pooling: Pooling; readonly quantizer: TrainableQuantizer } | null,
  ) {
    const parts = [network, ...(coding === null ? [] : [coding.pooling, coding.quantizer])];
    this.parameters = new Map(parts.flatMap(({ parameters }) => [...parameters]));
    this.buffers = new Map(parts.flatMap((part) => ('buffers' in part ? [...part.buffers] : [])));
  }

  /** `stages`: codebooks that each recording uses; null for the network without a quantiser. */
  forward(pass: Pass, features: PackedSteps, stages: readonly number[] | null): CodedPass {
    const steps = this.network.prefix(pass, features);
    if (stages === null || this.coding === null) {
      return { logits: this.network.suffix(pass, steps), quantization: null };
    }
    const { pooling, quantizer } = this.coding;
    const quantization = quantizer.forward(pass, pooling.pool(pass, steps), stages);
    const read = pooling.unpool(pass, quantization.quantized, steps.lengths);
    return { logits: this.network.suffix(pass, read), quantization };
  }

  /** What the quantiser sees of some features: vectors [Σ vectors, width], to begin codebooks with. */
  vectors(pass: Pass, features: PackedSteps): Tensor {
    const steps = this.network.prefix(pass, features);
    return (this.coding?.pooling.pool(pass, steps) ?? steps).x.value;
  }

  absorb(
    state: TrainingState,
    reported: ReadonlyMap<string, Float64Array>,
    at: { readonly random: () => number },
  ): void {
    this.network.absorb?.(state.buffers, reported);
    this.coding?.quantizer.absorb(state, reported, at);
  }
}
