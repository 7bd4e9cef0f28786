/** Loads the device half, and nothing of the cloud's: for bundles that only encode. */
import { frontEndFeatures } from '../audio/front-end.js';
import { LogMel } from '../audio/log-mel.js';
import { loadPrefix } from '../nn/load-prefix.js';
import { Parameters } from '../nn/parameters.js';
import { GroupedQuantizer } from '../quantizer/grouped-quantizer.js';
import { type Projection, projectedEncoder } from '../quantizer/projected-quantizer.js';
import { ChunkStream } from './chunk-stream.js';
import { clipFeatures } from './clip-features.js';
import { ClipStream } from './clip-stream.js';
import { ClipTiming } from './clip-timing.js';
import { type NetworkModelConfig, recognizerOf } from './config.js';
import { DeviceEncoder } from './device-encoder.js';
import { FrameStream } from './frame-stream.js';
import { FrameTiming } from './frame-timing.js';
import { FEATURE_DEVIATION, FEATURE_MEAN } from './model-file.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';
import { encodeProjection } from './projection.js';
import type { DeviceNetwork } from './step-stream.js';
import { VectorLayout } from './vector-layout.js';

/** What the device half has besides codebooks and tables. */
interface DeviceHalf {
  readonly network: DeviceNetwork;
  readonly projection: Projection | null;
}

const deviceHalfOf = (model: OpenModel): Promise<DeviceHalf> =>
  model.once('device half', async () => {
    const parameters = new Parameters(await model.tensors('device'));
    const projection = encodeProjection(model.config, parameters);
    return { network: await deviceNetworkFrom(model.config, parameters), projection };
  });

/** The network of the device half and what stands before it. */
export const deviceNetworkOf = async (model: OpenModel): Promise<DeviceNetwork> =>
  (await deviceHalfOf(model)).network;

/** The same from parameters, all of which are the device's; `makePrefix` makes its layers. */
export async function deviceNetworkFrom(
  config: NetworkModelConfig,
  parameters: Parameters,
  makePrefix: typeof loadPrefix = loadPrefix,
): Promise<DeviceNetwork> {
  const { frontEnd, network, task, normalization = 'stored', name } = config;
  const statistics =
    normalization === 'stored'
      ? {
          mean: parameters.get(FEATURE_MEAN, [frontEndFeatures(frontEnd)]),
          deviation: parameters.get(FEATURE_DEVIATION, [frontEndFeatures(frontEnd)]),
        }
      : null;
  const prefix = await makePrefix(parameters, network, new VectorLayout(config).layer);
  parameters.requireComplete(`codec model ${name}, device half`);
  if (task === 'recognition') {
    const timing = new FrameTiming(config);
    const logMel = new LogMel(recognizerOf(config).frontEnd);
    const { chunks } = prefix;
    if (chunks) {
      return (sampleRate, onSteps) =>
        new ChunkStream({ logMel, statistics, chunks }, timing, sampleRate, onSteps);
    }
    const frames = { logMel, statistics, prefix };
    return (sampleRate, onSteps) => new FrameStream(frames, timing, sampleRate, onSteps);
  }
  const timing = new ClipTiming(config);
  const clips = { features: clipFeatures(frontEnd, statistics), prefix };
  return (sampleRate, onSteps) => new ClipStream(clips, timing, sampleRate, onSteps);
}

/** The quantiser of a codec in the space of its codewords, packed for a search. */
const groupedQuantizerOf = (model: OpenModel): Promise<GroupedQuantizer> =>
  model.once('quantizer', async () => {
    const { codebooks, coder } = await model.shared();
    return new GroupedQuantizer(codebooks, coder.groups);
  });

export async function deviceEncoderOf(model: OpenModel): Promise<DeviceEncoder> {
  const quantizer = await groupedQuantizerOf(model);
  const { coder } = await model.shared();
  const { network, projection } = await deviceHalfOf(model);
  return new DeviceEncoder(coder, network, projectedEncoder(quantizer, projection));
}

/** Samples to .acom bytes, from a whole model or its device file; throws as `loadCodecModel` does. */
export async function loadDeviceEncoder(source: ModelSource): Promise<DeviceEncoder> {
  return deviceEncoderOf(await openModel(source));
}
