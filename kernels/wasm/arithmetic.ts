/** What a SIMD kernel is written in, apart from the instructions: the multiply-add of its variant. */
import type { ModuleBuilder } from './assembler.js';
import { f32x4, type V128 } from './expression.js';

/** How a kernel multiplies and adds: in two roundings, the same everywhere, or fused where the machine can. */
export interface Arithmetic {
  readonly fused: boolean;
  /** a · b + c */
  madd(a: V128, b: V128, c: V128): V128;
  /** c - a · b */
  nmadd(a: V128, b: V128, c: V128): V128;
}

export const exactArithmetic: Arithmetic = {
  fused: false,
  madd: (a, b, c) => f32x4.add(c, f32x4.mul(a, b)),
  nmadd: (a, b, c) => f32x4.sub(c, f32x4.mul(a, b)),
};

export const relaxedArithmetic: Arithmetic = {
  fused: true,
  madd: f32x4.relaxedMadd,
  nmadd: f32x4.relaxedNmadd,
};

/** Adds the functions of a kernel to a module. */
export type DefineKernel = (module: ModuleBuilder, arithmetic: Arithmetic) => void;
