/** Loads the device half, and nothing of the cloud's: for bundles that only encode. */
import { LogMel } from '../audio/index.js';
import { ConformerPrefix, Parameters } from '../nn/index.js';
import { DeviceEncoder } from './device-encoder.js';
import type { DeviceNetwork } from './frame-stream.js';
import { FEATURE_DEVIATION, FEATURE_MEAN } from './model-file.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';

/** The network of the device half and what stands before it. */
export async function deviceNetworkOf(model: OpenModel): Promise<DeviceNetwork> {
  const parameters = new Parameters(await model.tensors('device'));
  const { frontEnd, network, splitLayer, name } = model.config;
  const mean = parameters.get(FEATURE_MEAN, [frontEnd.mels]);
  const deviation = parameters.get(FEATURE_DEVIATION, [frontEnd.mels]);
  const prefix = new ConformerPrefix(parameters, network, splitLayer);
  parameters.requireComplete(`codec model ${name}, device half`);
  return { logMel: new LogMel(frontEnd), mean, deviation, prefix };
}

export async function deviceEncoderOf(model: OpenModel): Promise<DeviceEncoder> {
  const { quantizer, coder } = await model.shared();
  return new DeviceEncoder(coder, await deviceNetworkOf(model), quantizer);
}

/** Samples to .acom bytes, from a whole model or its device file; throws as `loadCodecModel` does. */
export async function loadDeviceEncoder(source: ModelSource): Promise<DeviceEncoder> {
  return deviceEncoderOf(await openModel(source));
}
