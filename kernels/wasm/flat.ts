/**
 * Functions of numbers one by one, along tensors without gaps of any length: y[i] = f(x[i]), y[i] = f(x[i], z[i]). Each is
 * exported with one parameter, a number that is the same for all.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from './assembler.js';
import { f32x4, type V128 } from './expression.js';
import type { KernelMemory } from './memory.js';
import { placeInput, placeOutput, returnOutput } from './operands.js';
import { inParts, mapRow } from './rows.js';

type Vector = Local<'v128'>;

/** Adds an exported y[i] = map(x[i]); y may be x. */
export function defineMap(
  module: ModuleBuilder,
  name: string,
  unroll: number,
  map: (f: FunctionBuilder, x: Vector, parameter: Vector) => V128,
): void {
  const parameters = { n: 'i32', parameter: 'f32', x: 'i32', y: 'i32' } as const;
  const part = module.function(
    `${name}Part`,
    parameters,
    (f, { n, parameter, x, y }) => {
      const same = f.local(f32x4.splat(parameter));
      mapRow(f, n, [x], y, (value) => map(f, value, same), unroll);
    },
    false,
  );
  module.function(name, parameters, (f, { n, parameter, x, y }) => {
    inParts(f, n, [x, y], (count) => f.call(part, count, parameter, x, y));
  });
}

/** Adds an exported y[i] = map(x[i], z[i]); y may be x or z. */
export function definePairMap(
  module: ModuleBuilder,
  name: string,
  unroll: number,
  map: (f: FunctionBuilder, x: Vector, z: Vector, parameter: Vector) => V128,
): void {
  const parameters = { n: 'i32', parameter: 'f32', x: 'i32', z: 'i32', y: 'i32' } as const;
  const part = module.function(
    `${name}Part`,
    parameters,
    (f, { n, parameter, x, z, y }) => {
      const same = f.local(f32x4.splat(parameter));
      mapRow(f, n, [x, z], y, (a, b) => map(f, a, b, same), unroll);
    },
    false,
  );
  module.function(name, parameters, (f, { n, parameter, x, z, y }) => {
    inParts(f, n, [x, z, y], (count) => f.call(part, count, parameter, x, z, y));
  });
}

/** What `defineMap` adds. */
export type MapExport = (n: number, parameter: number, x: number, y: number) => void;
/** What `definePairMap` adds. */
export type PairMapExport = (n: number, parameter: number, x: number, z: number, y: number) => void;

/** A call of a map on operands anywhere. */
export const onNumbers =
  (memory: KernelMemory, run: MapExport) =>
  (
    n: number,
    parameter: number,
    x: Float32Array,
    xOffset: number,
    y: Float32Array,
    yOffset: number,
  ): void => {
    const mark = memory.mark();
    try {
      const from = placeInput(memory, x, xOffset, 1, n, n);
      const to = placeOutput(memory, y, yOffset, 1, n, n);
      run(n, parameter, from.pointer, to.pointer);
      returnOutput(memory, to, y, yOffset, 1, n, n);
    } finally {
      memory.pop(mark);
    }
  };

/** A call of a map of pairs on operands anywhere. */
export const onPairs =
  (memory: KernelMemory, run: PairMapExport) =>
  (
    n: number,
    parameter: number,
    x: Float32Array,
    xOffset: number,
    z: Float32Array,
    zOffset: number,
    y: Float32Array,
    yOffset: number,
  ): void => {
    const mark = memory.mark();
    try {
      const from = placeInput(memory, x, xOffset, 1, n, n);
      const other = placeInput(memory, z, zOffset, 1, n, n);
      const to = placeOutput(memory, y, yOffset, 1, n, n);
      run(n, parameter, from.pointer, other.pointer, to.pointer);
      returnOutput(memory, to, y, yOffset, 1, n, n);
    } finally {
      memory.pop(mark);
    }
  };
