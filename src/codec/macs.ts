/** Multiply-accumulates of both halves for a recording, as it is run: in windows or in clips. */
import { frontEndFrames } from '../audio/front-end.js';
import { kindOf } from '../nn/kinds.js';
import type { HalfMacs } from '../nn/network.js';
import { ClipTiming } from './clip-timing.js';
import { isCodec, type NetworkModelConfig, recognizerOf } from './config.js';
import { FrameTiming } from './frame-timing.js';
import { timingOf } from './timing-of.js';
import { VectorLayout } from './vector-layout.js';
import { WindowPlan } from './windows.js';

/** Feature frames of each run of the network that a recording of `samples` samples takes. */
function* runsOf(config: NetworkModelConfig, samples: number): Generator<number> {
  const { frontEnd, task } = config;
  if (task === 'recognition') {
    const timing = new FrameTiming(config);
    const all = frontEndFrames(frontEnd, samples);
    if (recognizerOf(config).network.encoder.chunks) {
      yield all;
      return;
    }
    for (const { start, end } of new WindowPlan(timing.vectorsPerSecond).all(timing.vectors(samples))) {
      yield Math.min(all, end * timing.featuresPerVector) - start * timing.featuresPerVector;
    }
    return;
  }
  const timing = new ClipTiming(config);
  for (let number = 0; number < timing.clips(samples); number++) {
    const { startSample, endSample } = timing.clip(samples, number);
    yield frontEndFrames(frontEnd, timing.filled(endSample - startSample));
  }
}

/** Multiply-accumulates for a recording of `samples` samples at the model's rate. */
export function macsOf(config: NetworkModelConfig, samples: number): HalfMacs {
  const kind = kindOf(config.network);
  const { layer, width } = new VectorLayout(config);
  // A projection costs one product a vector, each way.
  const projection = isCodec(config) ? (config.quantizer.projection ?? 0) : 0;
  const projected = timingOf(config).vectors(samples) * width * projection;
  let [device, cloud] = [projected, projected];
  for (const frames of runsOf(config, samples)) {
    const run = kind.macs(config.network, layer, frames);
    device += run.device;
    cloud += run.cloud;
  }
  return { device, cloud };
}
