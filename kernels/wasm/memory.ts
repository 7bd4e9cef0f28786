/**
 * The memory that SIMD kernels work in, and who owns which part of it.
 *
 *   0          zeros, for a bias that is not there
 *   kept  ->   blocks with a life of their own: packed weights; freed one by one
 *   <- stack   operands and results of the work at hand; freed together, by going back to a mark
 *   top        a margin, because vector loads may read past the end of a row
 *
 * The memory has its full size from the start and never grows, so views of it stay good for as long as the
 * process lives. That costs address space and nothing else: pages that were never touched take no memory.
 */
import { KernelMemoryError } from '../errors.js';

const ZERO_BYTES = 1024;
const MARGIN_BYTES = 1024;
/** Blocks begin at a cache line. */
const LINE = 64;
const PAGE = 65536;

const aligned = (bytes: number): number => Math.ceil(bytes / LINE) * LINE;

export interface MemoryUse {
  readonly reservedBytes: number;
  /** Bytes of the blocks that are kept now. */
  readonly keptBytes: number;
  /** Bytes on the stack now. */
  readonly stackBytes: number;
  /** The most that was touched so far, both ends together: what the process really holds. */
  readonly peakBytes: number;
}

interface Block {
  pointer: number;
  bytes: number;
}

export class KernelMemory {
  readonly buffer: ArrayBufferLike;
  private readonly floats: Float32Array;
  private readonly top: number;
  /** Free blocks below `keptEnd`, by address. */
  private readonly free: Block[] = [];
  private keptEnd = ZERO_BYTES;
  private keptBytes = 0;
  private stackPointer: number;
  private keptPeak = ZERO_BYTES;
  private stackPeak: number;
  private readonly registry: FinalizationRegistry<Block> | null;
  private readonly kept = new WeakMap<Float32Array, Block>();

  constructor(
    readonly memory: WebAssembly.Memory,
    readonly shared: boolean,
  ) {
    this.buffer = memory.buffer;
    this.floats = new Float32Array(this.buffer);
    this.top = this.buffer.byteLength - MARGIN_BYTES;
    this.stackPointer = this.top;
    this.stackPeak = this.top;
    this.registry =
      typeof FinalizationRegistry === 'undefined'
        ? null
        : new FinalizationRegistry((block) => this.release(block));
  }

  get pages(): number {
    return this.buffer.byteLength / PAGE;
  }

  /** Address of at least 1,024 zeros. */
  readonly zeros = 0;

  /** Whether `array` is a view of this memory. */
  holds(array: ArrayBufferView): boolean {
    return array.buffer === this.buffer;
  }

  use(): MemoryUse {
    return {
      reservedBytes: this.buffer.byteLength,
      keptBytes: this.keptBytes,
      stackBytes: this.top - this.stackPointer,
      peakBytes: this.keptPeak + (this.top - this.stackPeak),
    };
  }

  /** Where the stack stands; `pop` goes back to it. */
  mark(): number {
    return this.stackPointer;
  }

  pop(mark: number): void {
    this.stackPointer = mark;
  }

  /** Address of `bytes` bytes on the stack, not cleared. Throws KernelMemoryError where there is no room. */
  push(bytes: number): number {
    const pointer = this.stackPointer - aligned(bytes);
    if (!(pointer >= this.keptEnd)) this.refuse(bytes);
    this.stackPointer = pointer;
    if (pointer < this.stackPeak) this.stackPeak = pointer;
    return pointer;
  }

  /** A view of `length` floats on the stack, not cleared. */
  pushFloats(length: number): Float32Array {
    return new Float32Array(this.buffer, this.push(4 * length), length);
  }

  /**
   * Goes back to `mark` but keeps the `bytes` at `pointer`, which move to where the mark was: the result of
   * the work outlives the operands. Gives their new address.
   */
  popKeeping(mark: number, pointer: number, bytes: number): number {
    const to = mark - aligned(bytes);
    if (to < this.keptEnd) this.refuse(bytes);
    if (to < this.stackPeak) this.stackPeak = to;
    new Uint8Array(this.buffer).copyWithin(to, pointer, pointer + bytes);
    this.stackPointer = to;
    return to;
  }

  /** `length` floats that live as long as the view that is given back does, or until `drop`. Not cleared. */
  keepFloats(length: number): Float32Array {
    const block = this.take(aligned(4 * length));
    const view = new Float32Array(this.buffer, block.pointer, length);
    this.registry?.register(view, block, view);
    this.kept.set(view, block);
    return view;
  }

  /** Ends the life of floats that were kept: nobody may use the view after it. Other arrays are left alone. */
  drop(view: Float32Array): void {
    const block = this.kept.get(view);
    if (block === undefined) return;
    this.kept.delete(view);
    this.registry?.unregister(view);
    this.release(block);
  }

  private take(bytes: number): Block {
    this.keptBytes += bytes;
    const at = this.free.findIndex((block) => block.bytes >= bytes);
    const found = this.free[at];
    if (found) {
      const block = { pointer: found.pointer, bytes };
      found.pointer += bytes;
      found.bytes -= bytes;
      if (found.bytes === 0) this.free.splice(at, 1);
      return block;
    }
    if (this.keptEnd + bytes > this.stackPointer) {
      this.keptBytes -= bytes;
      this.refuse(bytes);
    }
    const block = { pointer: this.keptEnd, bytes };
    this.keptEnd += bytes;
    if (this.keptEnd > this.keptPeak) this.keptPeak = this.keptEnd;
    return block;
  }

  private release({ pointer, bytes }: Block): void {
    this.keptBytes -= bytes;
    let at = this.free.findIndex((block) => block.pointer > pointer);
    if (at < 0) at = this.free.length;
    this.free.splice(at, 0, { pointer, bytes });
    // Join neighbours, and give what lies at the end back.
    for (let i = Math.min(at + 1, this.free.length - 1); i > 0 && i >= at; i--) {
      const [before, here] = [this.free[i - 1], this.free[i]];
      if (before && here && before.pointer + before.bytes === here.pointer) {
        before.bytes += here.bytes;
        this.free.splice(i, 1);
      }
    }
    const last = this.free[this.free.length - 1];
    if (last && last.pointer + last.bytes === this.keptEnd) {
      this.keptEnd = last.pointer;
      this.free.pop();
    }
  }

  private refuse(bytes: number): never {
    const { reservedBytes, keptBytes, stackBytes } = this.use();
    throw new KernelMemoryError(
      `${bytes} bytes do not fit: of ${reservedBytes}, ${keptBytes} hold weights and ${stackBytes} the work at ` +
        'hand; use shorter pieces, or reserve more with configureKernels({ memoryBytes }) before the first use',
    );
  }

  /** Copies rows of `columns` floats from anywhere onto the stack, without gaps. Gives their address. */
  copyIn(data: Float32Array, offset: number, rows: number, columns: number, rowStride: number): number {
    const pointer = this.push(4 * rows * columns);
    let to = pointer >> 2;
    if (rowStride === columns) {
      this.floats.set(data.subarray(offset, offset + rows * columns), to);
      return pointer;
    }
    for (let r = 0; r < rows; r++, to += columns) {
      const from = offset + r * rowStride;
      this.floats.set(data.subarray(from, from + columns), to);
    }
    return pointer;
  }

  /** Copies rows without gaps at `pointer` to rows `rowStride` floats apart. */
  copyOut(
    pointer: number,
    data: Float32Array,
    offset: number,
    rows: number,
    columns: number,
    rowStride: number,
  ): void {
    let from = pointer >> 2;
    if (rowStride === columns) {
      data.set(this.floats.subarray(from, from + rows * columns), offset);
      return;
    }
    for (let r = 0; r < rows; r++, from += columns) {
      data.set(this.floats.subarray(from, from + columns), offset + r * rowStride);
    }
  }
}

/** Reserves `bytes` of memory, or less where the engine refuses so much; null where it refuses all. */
export function reserveMemory(bytes: number, share: boolean): KernelMemory | null {
  for (let pages = Math.ceil(bytes / PAGE); pages >= 64; pages = Math.floor(pages / 4)) {
    for (const shared of share ? [true, false] : [false]) {
      try {
        const limits = shared
          ? { initial: pages, maximum: pages, shared }
          : { initial: pages, maximum: pages };
        return new KernelMemory(new WebAssembly.Memory(limits), shared);
      } catch {
        // Too much, or no shared memory here: the next smaller one.
      }
    }
  }
  return null;
}
