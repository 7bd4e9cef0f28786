/** Launches that were noted once, and run any number of times. */
import { GpuError } from '../errors.js';
import type { Device, DeviceArray } from './device.js';
import type { Output, ProgramPlan, ValueId } from './recording.js';

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
    const values = await this.launchAll();
    const results: Float32Array[] = [];
    for (const output of this.plan.outputs) {
      const numbers = await this.gpu.read(required(values, output.value));
      const length = output.rows * output.columns;
      const dense = numbers.subarray(output.from, output.from + length);
      if (inputs === undefined) scatter(output, dense);
      results.push(dense);
    }
    this.releaseAll(values);
    return results;
  }

  /** Launches everything `times` times on what the last run uploaded, and waits for the device; reads one number. */
  async compute(times = 1): Promise<void> {
    if (!this.inputs) await this.uploadInputs();
    for (let i = 0; i < times; i++) {
      const values = await this.launchAll();
      const last = this.plan.outputs[this.plan.outputs.length - 1];
      // Reading a single number waits for all launches before it.
      if (i === times - 1) {
        const probe = await this.gpu.launch(PROBE, {}, [1], [required(values, last.value)], 'probe');
        await this.gpu.read(probe);
        this.gpu.release(probe);
      }
      this.releaseAll(values);
    }
  }

  /** Gives back what it holds on the device. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.releaseInputs();
    const known = shared.get(this.gpu);
    for (const { data } of this.plan.constants) {
      const entry = known?.get(data);
      if (!entry || !this.holds(data) || --entry.users > 0) continue;
      known?.delete(data);
      entry.array.then((array) => this.gpu.release(array)).catch(() => undefined);
    }
    this.constants.clear();
  }

  private holds(data: Float32Array): boolean {
    return this.plan.constants.some(
      (constant) => constant.data === data && this.constants.has(constant.value),
    );
  }

  private async uploadInputs(inputs?: readonly Float32Array[]): Promise<void> {
    if (this.disposed) throw new GpuError('this program was disposed');
    await this.uploadConstants();
    this.releaseInputs();
    const uploaded = new Map<ValueId, DeviceArray>();
    for (const { value, length, fill, input } of this.plan.uploads) {
      const given = input === null ? undefined : inputs?.[input];
      if (given && given.length !== length) {
        throw new GpuError(`input ${input} has ${given.length} numbers; this program was made for ${length}`);
      }
      const data = given ?? new Float32Array(length);
      if (!given) fill(data);
      uploaded.set(value, await this.gpu.upload(data));
    }
    this.inputs = uploaded;
  }

  private async uploadConstants(): Promise<void> {
    if (this.constants.size === this.plan.constants.length) return;
    let known = shared.get(this.gpu);
    if (!known) {
      known = new Map();
      shared.set(this.gpu, known);
    }
    for (const { value, data } of this.plan.constants) {
      let entry = known.get(data);
      if (!entry) {
        entry = { array: this.gpu.upload(data), users: 0 };
        known.set(data, entry);
      }
      entry.users++;
      this.constants.set(value, await entry.array);
    }
  }

  /** All results that are outputs; the others are released as soon as nothing reads them any more. */
  private async launchAll(): Promise<Map<ValueId, DeviceArray>> {
    const values = new Map<ValueId, DeviceArray>([...this.constants, ...(this.inputs ?? [])]);
    for (const [n, { name, source, constants, size, args, result }] of this.plan.launches.entries()) {
      const given = args.map((arg) => required(values, arg));
      values.set(result, await this.gpu.launch(source, constants, size, given, name));
      for (const spent of this.lastReads.get(n) ?? []) {
        this.gpu.release(required(values, spent));
        values.delete(spent);
      }
    }
    return values;
  }

  /** Releases results; constants and inputs stay. */
  private releaseAll(values: Map<ValueId, DeviceArray>): void {
    for (const [value, array] of values) {
      if (!this.constants.has(value) && !this.inputs?.has(value)) this.gpu.release(array);
    }
  }

  private releaseInputs(): void {
    for (const array of this.inputs?.values() ?? []) this.gpu.release(array);
    this.inputs = null;
  }
}

const PROBE = 'function (x) { return x[this.thread.x]; }';

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
