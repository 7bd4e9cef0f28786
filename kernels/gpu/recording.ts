/**
 * What a deferred kernel does when it is called: it notes launches. Arrays in memory stand for arrays on the device. A
 * kernel that reads memory which an earlier one wrote reads that one's result; other memory is uploaded.
 *
 * Written memory is filled with NaN while a recording lasts. Code that is no kernel but copies such memory, or overwrites it,
 * is thereby found out: a copy is uploaded as NaN, which is an error, and what was overwritten is no result any more.
 */
import { KernelError } from '../errors.js';
import type { KernelArray } from '../spec.js';
import type { GridSize } from './gpu-js.js';

/** One array of a program: uploaded for each run, uploaded once, or the result of a launch. */
export type ValueId = number;

/** Numbers that begin at `offset` of an array on the device. */
export interface Reading {
  readonly value: ValueId;
  readonly offset: number;
}

export interface Launch {
  readonly name: string;
  readonly source: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly size: GridSize;
  readonly args: readonly ValueId[];
  readonly result: ValueId;
}

/** Fills `target` with what a run reads. */
export interface Upload {
  readonly value: ValueId;
  readonly length: number;
  fill(target: Float32Array): void;
  /** Number of the input of `compile` that it is; null where `fill` knows. */
  readonly input: number | null;
}

/** An array that never changes. The same array is uploaded once for all programs. */
export interface Constant {
  readonly value: ValueId;
  readonly data: Float32Array;
}

/** Memory that stands for results: rows of `columns` elements, `rowStride` apart. */
export interface Region {
  readonly data: KernelArray;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
}

/** A region and the array on the device whose first numbers are it. */
export interface Output extends Region {
  readonly value: ValueId;
  readonly from: number;
}

export interface ProgramPlan {
  readonly uploads: readonly Upload[];
  readonly constants: readonly Constant[];
  readonly launches: readonly Launch[];
  readonly outputs: readonly Output[];
}

let current: Recording | null = null;

/** The recording that a deferred kernel notes its launches in. */
export function recording(): Recording {
  if (current) return current;
  throw new KernelError('kernels for a GPU are called inside record or compile of a Gpu');
}

/**
 * Notes what `work` launches. With `inputs`, these alone are uploaded for each run, everything else once, and the regions
 * that `work` returns are the outputs; without, all that is read is uploaded, and all that is written comes back. The inputs
 * stand for others, and are overwritten.
 */
export function record(
  work: () => void | Promise<void> | readonly Region[],
  inputs?: readonly Float32Array[],
): ProgramPlan {
  if (current) throw new KernelError('a recording inside a recording');
  const recorder = new Recording(inputs ?? null);
  // What copies an input without a kernel is found out, as what copies a result is.
  for (const input of inputs ?? []) input.fill(NaN);
  current = recorder;
  try {
    const wanted = work();
    return recorder.finish(Array.isArray(wanted) ? (wanted as readonly Region[]) : null);
  } finally {
    current = null;
  }
}

export class Recording {
  private count = 0;
  private readonly uploads: Upload[] = [];
  private readonly constants: Constant[] = [];
  private readonly launches: Launch[] = [];
  private readonly written: Output[] = [];
  /** What was uploaded, by its buffer and place there. */
  private readonly uploaded = new Map<ArrayBufferLike, Map<string, ValueId>>();
  private readonly packed = new Map<Float32Array, ValueId>();

  constructor(private readonly inputs: readonly Float32Array[] | null) {}

  /** The `rows` x `columns` numbers at `offset`, rows `rowStride` apart: a result of this recording, or an upload. */
  read(data: KernelArray, offset: number, rows: number, columns: number, rowStride = columns): Reading {
    const length = rows === 0 || columns === 0 ? 0 : (rows - 1) * rowStride + columns;
    return this.resultAt(data, offset, length) ?? { value: this.uploadOf(data, offset, length), offset: 0 };
  }

  /**
   * The whole result that rows of memory are columns of, where they are those of one, without gaps and from its first row to
   * its last; `offset` is where it begins in its value.
   */
  regionAt(
    data: KernelArray,
    offset: number,
    rows: number,
    columns: number,
    rowStride: number,
  ): { readonly region: Region; readonly value: ValueId; readonly offset: number } | null {
    const found = this.resultAt(data, offset, (rows - 1) * rowStride + columns);
    const region = this.written.filter(({ value }) => value === found?.value).pop();
    if (!found || !region || region.data !== data) return null;
    const length = (region.rows - 1) * region.rowStride + region.columns;
    const inside = offset - region.offset + columns <= rowStride && length === rows * rowStride;
    return inside ? { region, value: region.value, offset: region.from } : null;
  }

  /** Numbers that are made on the CPU for each run. */
  computed(length: number, fill: (target: Float32Array) => void): Reading {
    const value = this.count++;
    this.uploads.push({ value, length, fill, input: null });
    return { value, offset: 0 };
  }

  /** Numbers that stay: the array must not change, and is uploaded once as long as programs use it. */
  constant(data: Float32Array): Reading {
    let value = this.packed.get(data);
    if (value === undefined) {
      value = this.count++;
      this.packed.set(data, value);
      this.constants.push({ value, data });
    }
    return { value, offset: 0 };
  }

  launch(
    name: string,
    source: string,
    constants: Readonly<Record<string, number>>,
    size: GridSize,
    args: readonly ValueId[],
  ): ValueId {
    const result = this.count++;
    this.launches.push({ name, source, constants, size, args, result });
    return result;
  }

  /** The rows · columns numbers of `value` from `from` on are what the memory at `offset` stands for from now on. */
  write(
    value: ValueId,
    data: KernelArray,
    offset: number,
    rows: number,
    columns: number,
    rowStride = columns,
    from = 0,
  ): void {
    this.written.push({ value, from, data, offset, rows, columns, rowStride });
    for (let r = 0; r < rows; r++) data.fill(NaN, offset + r * rowStride, offset + r * rowStride + columns);
  }

  finish(wanted: readonly Region[] | null): ProgramPlan {
    const outputs = wanted?.map((region) => this.outputOf(region)) ?? this.written;
    const { uploads, constants } = this;
    const launches = neededLaunches(this.launches, outputs);
    if (this.inputs && constants.some(({ data }) => data.some(Number.isNaN))) {
      throw new KernelError(
        'a kernel for a GPU reads numbers that code which is no kernel made from inputs or results',
      );
    }
    return { uploads, constants, launches, outputs };
  }

  private outputOf(region: Region): Output {
    const { data, offset, rows, columns, rowStride } = region;
    const length = rows === 0 ? 0 : (rows - 1) * rowStride + columns;
    // Integers can't be NaN: what was written last at their place stands.
    const found = this.resultAt(data, offset, length);
    if (found) return { ...region, value: found.value, from: found.offset };
    throw new KernelError(
      'a result of a recording is not what a kernel computed: code that is no kernel made it',
    );
  }

  /** The latest result whose memory holds all of the stretch, and is still as it was left. */
  private resultAt(data: KernelArray, offset: number, length: number): Reading | null {
    const start = data.byteOffset + offset * data.BYTES_PER_ELEMENT;
    const end = start + length * data.BYTES_PER_ELEMENT;
    for (let i = this.written.length - 1; i >= 0; i--) {
      const region = this.written[i];
      if (region.data.buffer !== data.buffer) continue;
      const { rows, columns, rowStride } = region;
      const first = region.data.byteOffset + region.offset * region.data.BYTES_PER_ELEMENT;
      const last = first + Math.max(0, (rows - 1) * rowStride + columns) * region.data.BYTES_PER_ELEMENT;
      if (end <= first || start >= last || length === 0) continue;
      if (!untouched(data, offset, length)) return null;
      if (start < first || end > last || (rows > 1 && rowStride !== columns)) {
        throw new KernelError(
          'a kernel for a GPU reads memory that several launches wrote, or one with gaps: run one recording at a time',
        );
      }
      return { value: region.value, offset: region.from + (start - first) / data.BYTES_PER_ELEMENT };
    }
    return null;
  }

  private uploadOf(data: KernelArray, offset: number, length: number): ValueId {
    const start = data.byteOffset + offset * data.BYTES_PER_ELEMENT;
    const input = this.inputOf(data.buffer, start, length);
    const key = `${start}:${length}:${data.BYTES_PER_ELEMENT}`;
    const places = this.uploaded.get(data.buffer) ?? new Map<string, ValueId>();
    this.uploaded.set(data.buffer, places);
    const known = this.inputs && input === null ? undefined : places.get(key);
    if (known !== undefined) return known;
    const value = this.count++;
    // As it is now: a launch may write to the same memory.
    const snapshot = copyFinite(data, offset, length);
    if (this.inputs && input === null) {
      this.constants.push({ value, data: snapshot });
      return value;
    }
    const fill = (target: Float32Array) => target.set(snapshot);
    this.uploads.push({ value, length, fill, input });
    places.set(key, value);
    return value;
  }

  /** The number of the input that a stretch of memory is; null where it is none of them. */
  private inputOf(buffer: ArrayBufferLike, start: number, length: number): number | null {
    const end = start + 4 * length;
    const at = (this.inputs ?? []).findIndex(
      (input) =>
        input.buffer === buffer && start < input.byteOffset + input.byteLength && end > input.byteOffset,
    );
    const input = this.inputs?.[at];
    if (!input || length === 0) return null;
    if (start === input.byteOffset && 4 * length === input.byteLength) return at;
    throw new KernelError('a kernel for a GPU reads a part of an input: pass that part alone');
  }
}

/** Those of the launches, in order, that outputs come of: the residual after the last stage of a quantiser is mostly none. */
function neededLaunches(launches: readonly Launch[], outputs: readonly Output[]): Launch[] {
  const needed = new Set(outputs.map(({ value }) => value));
  return [...launches]
    .reverse()
    .filter(({ result, args }) => {
      if (!needed.has(result)) return false;
      for (const arg of args) needed.add(arg);
      return true;
    })
    .reverse();
}

/** Whether a stretch that stands for a result is as `write` left it. */
function untouched(data: KernelArray, offset: number, length: number): boolean {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return true;
  for (let i = offset; i < offset + length; i++) if (!Number.isNaN(data[i])) return false;
  return true;
}

/** Infinities would be undefined on some devices: the largest numbers stand for them. */
function copyFinite(data: KernelArray, offset: number, length: number): Float32Array {
  const copy = new Float32Array(length);
  for (let i = 0; i < length; i++) copy[i] = Math.max(-LARGEST, Math.min(LARGEST, data[offset + i]));
  return copy;
}

/** Just below the largest float32. */
const LARGEST = 3.4e38;
