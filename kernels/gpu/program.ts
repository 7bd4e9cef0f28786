/** Launches that were noted once, and run any number of times. */
import { GpuError } from '../errors.js';
import type { Device, DeviceArray } from './device.js';
import type { Output, ProgramPlan, ValueId } from './recording.js';
import { IDENTITY } from './sources.js';

/** Constants of all programs of a GPU, by their arrays: weights are uploaded once. */
const shared = new WeakMap<
  Device,
  Map<Float32Array, { readonly array: Promise<DeviceArray>; users: number }>
>();

export class GpuProgram {
  private readonly constants = new Map<ValueId, DeviceArray>();
  /** Uploaded inputs of the last run, for `compute`. */
  private inputs: Map<ValueId, DeviceArray> | null = null;
  /** Results that no later launch reads, by the launch that reads them last. */
  private readonly lastReads: ReadonlyMap<number, readonly ValueId[]>;
  private disposed = false;

  constructor(
    private readonly gpu: Device,
    private readonly plan: ProgramPlan,
  ) {
    this.lastReads = lastReadsOf(plan);
  }

  /** Launches, those of uploads not counted. */
  get launches(): number {
    return this.plan.launches.length;
  }

  /**
   * Uploads what is read, launches everything, and reads the outputs back: into their memory, and as arrays. With
   * `inputs`, those take the place of the inputs that the program was compiled with.
   */
  async run(inputs?: readonly Float32Array[]): Promise<readonly Float32Array[]> {
    await this.uploadInputs(inputs);
    return this.launchAll(async (values) => {
      const results: Float32Array[] = [];
      for (const output of this.plan.outputs) {
        const numbers = await this.gpu.read(required(values, output.value));
        const length = output.rows * output.columns;
        const dense = numbers.subarray(output.from, output.from + length);
        if (inputs === undefined) scatter(output, dense);
        results.push(dense);
      }
      return results;
    });
  }

  /** Launches everything `times` times on what the last run uploaded, and waits for the device; reads one number. */
  async compute(times = 1): Promise<void> {
    if (!this.inputs) await this.uploadInputs();
    for (let i = 1; i <= times; i++) {
      await this.launchAll(async (values) => {
        const last = this.plan.outputs.at(-1);
        if (i < times || !last) return;
        // Reading a single number waits for all launches before it.
        const probe = await this.gpu.launch(IDENTITY, {}, [1], [required(values, last.value)], 'probe');
        await this.gpu.read(probe).finally(() => this.gpu.release(probe));
      });
    }
  }

  /** Gives back what it holds on the device. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.releaseInputs();
    this.releaseConstants();
  }

  private releaseConstants(): void {
    const known = shared.get(this.gpu);
    for (const { value, data } of this.plan.constants) {
      const [array, entry] = [this.constants.get(value), known?.get(data)];
      if (!array || !entry || --entry.users > 0) continue;
      known?.delete(data);
      this.gpu.release(array);
    }
    this.constants.clear();
  }

  private async uploadInputs(inputs?: readonly Float32Array[]): Promise<void> {
    if (this.disposed) throw new GpuError('this program was disposed');
    await this.uploadConstants();
    if (this.disposed) {
      // Meanwhile: what was uploaded since is no one's.
      this.releaseConstants();
      throw new GpuError('this program was disposed');
    }
    this.releaseInputs();
    const uploaded = new Map<ValueId, DeviceArray>();
    // At once, so that those before one that fails are released with it.
    this.inputs = uploaded;
    for (const { value, length, fill, input } of this.plan.uploads) {
      const given = input === null ? undefined : inputs?.[input];
      if (given && given.length !== length) {
        throw new GpuError(`input ${input} has ${given.length} numbers; this program was made for ${length}`);
      }
      const data = given ?? new Float32Array(length);
      if (!given) fill(data);
      uploaded.set(value, await this.gpu.upload(data));
    }
  }

  private async uploadConstants(): Promise<void> {
    if (this.constants.size === this.plan.constants.length) return;
    let known = shared.get(this.gpu);
    if (!known) {
      known = new Map();
      shared.set(this.gpu, known);
    }
    for (const { value, data } of this.plan.constants) {
      // A run before this one may have failed half-way.
      if (this.constants.has(value)) continue;
      const entry = known.get(data) ?? { array: this.gpu.upload(data), users: 0 };
      known.set(data, entry);
      entry.users++;
      try {
        this.constants.set(value, await entry.array);
      } catch (error) {
        known.delete(data);
        throw error;
      }
    }
  }

  /**
   * Launches everything, hands `take` the results that are outputs, and releases them, whatever fails; the others are
   * released as soon as nothing reads them any more.
   */
  private async launchAll<R>(take: (values: ReadonlyMap<ValueId, DeviceArray>) => Promise<R>): Promise<R> {
    const values = new Map<ValueId, DeviceArray>([...this.constants, ...(this.inputs ?? [])]);
    const results = new Map<ValueId, DeviceArray>();
    const release = (value: ValueId): void => {
      const array = results.get(value);
      if (array) this.gpu.release(array);
      results.delete(value);
      values.delete(value);
    };
    try {
      for (const [n, { name, source, constants, size, args, result }] of this.plan.launches.entries()) {
        const given = args.map((arg) => required(values, arg));
        const array = await this.gpu.launch(source, constants, size, given, name);
        results.set(result, array);
        values.set(result, array);
        this.lastReads.get(n)?.forEach(release);
      }
      return await take(values);
    } finally {
      for (const value of [...results.keys()]) release(value);
    }
  }

  private releaseInputs(): void {
    for (const array of this.inputs?.values() ?? []) this.gpu.release(array);
    this.inputs = null;
  }
}

function required(values: ReadonlyMap<ValueId, DeviceArray>, value: ValueId): DeviceArray {
  const found = values.get(value);
  if (!found) throw new GpuError('internal: a launch reads what is not there');
  return found;
}

function lastReadsOf({ launches, outputs }: ProgramPlan): ReadonlyMap<number, readonly ValueId[]> {
  const kept = new Set(outputs.map(({ value }) => value));
  const results = new Set(launches.map(({ result }) => result));
  const last = new Map<ValueId, number>();
  launches.forEach(({ args, result }, n) => {
    for (const value of [result, ...args]) if (results.has(value) && !kept.has(value)) last.set(value, n);
  });
  const byLaunch = new Map<number, ValueId[]>();
  for (const [value, n] of last) byLaunch.set(n, [...(byLaunch.get(n) ?? []), value]);
  return byLaunch;
}

/** Dense rows to where they belong in memory. */
function scatter({ data, offset, rows, columns, rowStride }: Output, dense: Float32Array): void {
  for (let r = 0; r < rows; r++)
    data.set(dense.subarray(r * columns, (r + 1) * columns), offset + r * rowStride);
}
