/**
 * Where results live. Inside a scope they lie in the memory of the SIMD kernels, on a stack that the end of the
 * scope pops, so a network runs without copies and, once it has run, without allocating. Outside they are
 * ordinary arrays of their own.
 */
import { kernelMemory } from '../../kernels/wasm/runtime.js';
import { contiguous, sizeOf, type Tensor, view, zeros } from './ndarray.js';

let depth = 0;
/** Whether scopes do nothing. */
let suspended = false;

/** A new tensor with any content, to be written by a kernel; inside a scope it ends with the scope. */
export function empty(shape: readonly number[]): Tensor {
  const memory = depth > 0 && !suspended ? kernelMemory() : null;
  if (memory === null) return zeros(shape);
  return view(memory.pushFloats(sizeOf(shape)), shape);
}

/** A copy of `x` without gaps where kernels read it fastest; it lives as long as the tensor does. */
export function keep(x: Tensor): Tensor {
  const source = contiguous(x);
  const size = sizeOf(x.shape);
  const from = source.data.subarray(source.offset, source.offset + size);
  const data = kernelMemory()?.keepFloats(size) ?? new Float32Array(size);
  data.set(from);
  return view(data, x.shape);
}

/**
 * Ends a tensor that `keep` made, which nobody may use after it. Without it the memory comes back when the garbage collector
 * finds the tensor, which a program that never waits does not let it do.
 */
export function drop(x: Tensor): void {
  if (x.data instanceof Float32Array) kernelMemory()?.drop(x.data);
}

/**
 * Runs `work` and releases every tensor that operations made in it, but for its result: that is moved to the
 * scope around this one, or to an array of its own where there is none. Other tensors of the scope must not be
 * used after it. `work` must not be asynchronous.
 */
export function scope(work: () => Tensor): Tensor {
  const memory = suspended ? null : kernelMemory();
  if (memory === null) return work();
  const mark = memory.mark();
  depth++;
  try {
    const result = contiguous(work());
    const { data, shape } = result;
    const pointer = data.byteOffset + 4 * result.offset;
    // Above the mark lie tensors of the scopes around this one.
    if (!memory.holds(data) || pointer >= mark) {
      memory.pop(mark);
      return result;
    }
    if (depth === 1) {
      const copy = data.slice(result.offset, result.offset + sizeOf(shape));
      memory.pop(mark);
      return view(copy, shape);
    }
    const kept = memory.popKeeping(mark, pointer, 4 * sizeOf(shape));
    return view(new Float32Array(memory.buffer, kept, sizeOf(shape)), shape);
  } catch (error) {
    memory.pop(mark);
    throw error;
  } finally {
    depth--;
  }
}

/**
 * Runs `work` with scopes that neither release nor move anything: every tensor is an array of its own, so that its memory
 * can stand for it.
 */
export function withoutScopes<R>(work: () => R): R {
  const before = suspended;
  suspended = true;
  try {
    return work();
  } finally {
    suspended = before;
  }
}

/** Runs `work`, which gives no tensor, and releases what kernels put on the stack for it. */
export function scratch(work: () => void): void {
  const memory = kernelMemory();
  const mark = memory?.mark() ?? 0;
  try {
    work();
  } finally {
    memory?.pop(mark);
  }
}
