/** The cloud half with its layers on a GPU: the same work as on the CPU, which waits for the network. */

import type { Classification, ClassifyOptions, CloudClassifier } from '../codec/cloud-classifier.js';
import type { CloudDecoder, DecodeOptions, Transcript } from '../codec/cloud-decoder.js';
import type { CodecConfig } from '../codec/config.js';
import { runElsewhere } from '../codec/network-work.js';
import type { StreamCoder } from '../codec/stream-coder.js';
import type { Bytes, Tensor } from '../tensor/index.js';

export class GpuCloudDecoder {
  readonly config: CodecConfig;
  readonly coder: StreamCoder;

  constructor(
    private readonly decoder: CloudDecoder,
    private readonly forward: (steps: Tensor) => Promise<Tensor>,
  ) {
    this.config = decoder.config;
    this.coder = decoder.coder;
  }

  /** As CloudDecoder.decode; GpuError where the device is lost meanwhile. */
  async decode(bytes: Bytes, options: DecodeOptions = {}): Promise<Transcript> {
    return runElsewhere(this.decoder.decoding(bytes, options), this.forward);
  }
}

export class GpuCloudClassifier {
  readonly config: CodecConfig;
  readonly coder: StreamCoder;

  constructor(
    private readonly classifier: CloudClassifier,
    private readonly forward: (steps: Tensor) => Promise<Tensor>,
  ) {
    this.config = classifier.config;
    this.coder = classifier.coder;
  }

  /** As CloudClassifier.classify; GpuError where the device is lost meanwhile. */
  async classify(bytes: Bytes, options: ClassifyOptions = {}): Promise<Classification> {
    return runElsewhere(this.classifier.classifying(bytes, options), this.forward);
  }
}
