/** Codec models whose layers run on a GPU. */
import { type Gpu, GpuError, type GpuMode } from '../../kernels/gpu/index.js';
import { gpuKernels } from '../../kernels/gpu/kernels.js';
import { CloudClassifier } from '../codec/cloud-classifier.js';
import { CloudDecoder } from '../codec/cloud-decoder.js';
import type { CodecConfig, Task } from '../codec/config.js';
import { deviceNetworkFrom } from '../codec/load-device.js';
import { requireTask } from '../codec/load-suffix.js';
import type { Part } from '../codec/model-file.js';
import type { OpenModel } from '../codec/open-model.js';
import { decodeProjection, encodeProjection } from '../codec/projection.js';
import { VectorLayout } from '../codec/vector-layout.js';
import { loadPrefix } from '../nn/load-prefix.js';
import { loadSuffix } from '../nn/load-suffix.js';
import type { Within } from '../nn/network.js';
import { Parameters } from '../nn/parameters.js';
import { withDeferredKernels } from '../ops/dispatch.js';
import { CodewordTable } from '../quantizer/codeword-table.js';
import { GroupedQuantizer } from '../quantizer/grouped-quantizer.js';
import { projectedTable } from '../quantizer/projected-quantizer.js';
import { reshape } from '../tensor/index.js';
import { GpuCloudClassifier, GpuCloudDecoder } from './gpu-cloud.js';
import { GpuDeviceEncoder } from './gpu-device-encoder.js';
import { GpuFunction } from './gpu-function.js';

/** Weights are packed for the GPU where layers pack them as they are made. */
const onGpu: Within = (make) => withDeferredKernels(gpuKernels, make);

/** An open codec model that runs on a GPU. Weights are uploaded once; only indices or log-probabilities come back. */
export class GpuCodecModel {
  private readonly functions: GpuFunction[] = [];
  private disposed = false;

  /** @internal; use loadCodecModel with the backend gpu. */
  constructor(
    private readonly model: OpenModel,
    private readonly gpu: Gpu,
  ) {}

  get config(): CodecConfig {
    return this.model.codec;
  }

  get fingerprint(): number {
    return this.model.header.fingerprint;
  }

  get part(): Part {
    return this.model.header.part;
  }

  /** The mode of GPU.js in which it runs. */
  get mode(): GpuMode {
    return this.gpu.mode;
  }

  /** Samples to .acom bytes. Throws ModelError where this file has no device half, KernelError where a layer has no GPU kernel. */
  deviceEncoder(): Promise<GpuDeviceEncoder> {
    return this.model.once('device half on a GPU', () => this.makeDeviceEncoder());
  }

  private async makeDeviceEncoder(): Promise<GpuDeviceEncoder> {
    const { config } = this;
    const layout = new VectorLayout(config);
    const parameters = new Parameters(await this.model.tensors('device'));
    const projection = encodeProjection(config, parameters);
    const prefix = await loadPrefix(parameters, config.network, layout.layer, onGpu);
    // The front end stays on the CPU: it hands over features where the layers of the device would stand.
    const features = await deviceNetworkFrom(config, parameters, async () => ({ forward: (x) => x }));
    const { codebooks, coder } = await this.model.shared();
    const quantizer = onGpu(() => new GroupedQuantizer(codebooks, coder.groups));
    const network = (stages: number) =>
      this.function((x) => {
        const steps = prefix.forward(reshape(x, [1, ...x.shape])).pick(0, null, null);
        const vectors = layout.toVectors(steps);
        return quantizer.encodeGroups(projection ? projection.forward(vectors) : vectors, stages);
      });
    return new GpuDeviceEncoder(coder, features, network);
  }

  /** .acom bytes to words. Throws ModelError where this file has no cloud half, or is no recogniser. */
  async cloudDecoder(): Promise<GpuCloudDecoder> {
    const { half, suffix, forward } = await this.cloudHalf('recognition');
    const { coder } = await this.model.shared();
    return new GpuCloudDecoder(new CloudDecoder(coder, suffix, half), forward);
  }

  /** .acom bytes to a label. Throws ModelError where this file has no cloud half, or is no classifier. */
  async cloudClassifier(): Promise<GpuCloudClassifier> {
    const { half, suffix, forward } = await this.cloudHalf('classification');
    const { coder } = await this.model.shared();
    return new GpuCloudClassifier(new CloudClassifier(coder, suffix, half), forward);
  }

  /** Gives back what it holds on the GPU; what was made of it can't be used any more. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    await Promise.all(this.functions.map((each) => each.dispose()));
    await this.gpu.dispose();
  }

  private async cloudHalf(task: Task) {
    requireTask(this.config, task);
    return this.model.once('cloud half on a GPU', () => this.makeCloudHalf());
  }

  private async makeCloudHalf() {
    const { config } = this;
    const parameters = new Parameters(await this.model.tensors('cloud'));
    const projection = decodeProjection(config, parameters);
    const suffix = await loadSuffix(parameters, config.network, new VectorLayout(config).layer, onGpu);
    parameters.requireComplete(`codec model ${config.name}, cloud half`);
    const { codebooks, coder } = await this.model.shared();
    const { body, head } = suffix.parts ?? { body: suffix.forward.bind(suffix), head: null };
    const network = this.function((x) => [body(x)]);
    const forward: Forward = async (x) => {
      const [features] = await network.run(x);
      return head ? head(features!) : features!;
    };
    return { suffix, forward, half: projectedTable(new CodewordTable(codebooks, coder.groups), projection) };
  }

  private function(trace: ConstructorParameters<typeof GpuFunction>[1]): GpuFunction {
    if (this.disposed) throw new GpuError('this model was disposed; load it again');
    const made = new GpuFunction(this.gpu, trace);
    this.functions.push(made);
    return made;
  }
}

type Forward = ConstructorParameters<typeof GpuCloudDecoder>[1];
