/** A network as a function on a GPU: one program for each shape that comes in. */
import { type Gpu, GpuError, type GpuProgram, type Region } from '../../kernels/gpu/index.js';
import { gpuKernels } from '../../kernels/gpu/kernels.js';
import { withDeferredKernels } from '../ops/dispatch.js';
import { flat, type NdArray, sizeOf, type Tensor, type TypedArray, view } from '../tensor/index.js';

/** Programs kept for the lengths of the latest recordings; each has its kernels compiled. */
const MOST_PROGRAMS = 8;

interface Compiled {
  readonly program: GpuProgram;
  readonly shapes: readonly (readonly number[])[];
}

export class GpuFunction {
  private readonly programs = new Map<string, Compiled>();
  /** What was asked for before: a program runs one input at a time. */
  private queue: Promise<unknown> = Promise.resolve();
  private disposed = false;

  /** `trace` is made of operations alone; what it returns comes back. */
  constructor(
    private readonly gpu: Gpu,
    private readonly trace: (x: Tensor) => readonly NdArray<TypedArray>[],
  ) {}

  /** What `trace` returns, as numbers: uploaded once, read back once. */
  run(x: Tensor): Promise<readonly Tensor[]> {
    const running = this.queue.then(() => this.runNow(x));
    // The next one runs whether or not this one failed.
    this.queue = running.catch(() => undefined);
    return running;
  }

  /** Waits for what runs; what was asked for after it is refused. */
  async dispose(): Promise<void> {
    this.disposed = true;
    await this.queue;
    for (const { program } of this.programs.values()) program.dispose();
    this.programs.clear();
  }

  private async runNow(x: Tensor): Promise<readonly Tensor[]> {
    if (this.disposed) throw new GpuError('this model was disposed; load it again');
    const { program, shapes } = this.compiledFor(x.shape);
    const results = await program.run([flat(x)]);
    return results.map((data, i) => view(data, shapes[i]!));
  }

  private compiledFor(shape: readonly number[]): Compiled {
    const key = shape.join(' x ');
    let compiled = this.programs.get(key);
    if (compiled) this.programs.delete(key);
    else compiled = this.compile(shape);
    this.programs.set(key, compiled);
    const [oldest] = this.programs.keys();
    if (this.programs.size > MOST_PROGRAMS && oldest !== undefined) {
      this.programs.get(oldest)?.program.dispose();
      this.programs.delete(oldest);
    }
    return compiled;
  }

  private compile(shape: readonly number[]): Compiled {
    const input = view(new Float32Array(sizeOf(shape)), shape);
    let shapes: readonly (readonly number[])[] = [];
    const program = this.gpu.compile([input.data], () => {
      const results = withDeferredKernels(gpuKernels, () => this.trace(input));
      shapes = results.map((result) => result.shape);
      return results.map(regionOf);
    });
    return { program, shapes };
  }
}

/** A tensor without gaps as the region of memory that it is. */
function regionOf({ data, offset, shape }: NdArray<TypedArray>): Region {
  if (!(data instanceof Float32Array || data instanceof Int32Array)) {
    throw new GpuError('internal: results are float32 or int32');
  }
  const columns = sizeOf(shape);
  return { data, offset, rows: 1, columns, rowStride: columns };
}
