/** Codec models on a GPU, through the optional package gpu.js; every call is awaited. */
export { GPU_MODES, GpuError, type GpuMode, gpuSupport } from '../../kernels/gpu/index.js';
export { GpuCloudClassifier, GpuCloudDecoder } from './gpu-cloud.js';
export { GpuDeviceEncoder, type GpuEncoderStream } from './gpu-device-encoder.js';
export { GpuCodecModel } from './gpu-model.js';
export { defaultGpuMode, type GpuOptions, loadCodecModel } from './load.js';
