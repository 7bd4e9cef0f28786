/**
 * Expressions of WebAssembly: trees of typed values, and the instructions that make them. An instruction is
 * a plain function from expressions to an expression, so a formula reads as a formula:
 *
 *   f32x4.add(sum, f32x4.mul(f32x4.splat(weight), f32x4.load(x, 16)))
 *
 * Names are those of the specification, in camel case. TypeScript checks the types; each instruction checks
 * them again while the kernel is written, because a wrong one would only be found by the engine, and there
 * without a name. Source: WebAssembly core specification 2.0, section 5.4; relaxed SIMD proposal.
 */

export type ValueType = 'i32' | 'f32' | 'f64' | 'v128';

/** Bytes of code, nested as they were put together. */
export type Code = readonly (number | Code)[];

export interface Expression<T extends ValueType = ValueType> {
  readonly type: T;
  readonly code: Code;
}

export type I32 = Expression<'i32'>;
export type F32 = Expression<'f32'>;
export type F64 = Expression<'f64'>;
export type V128 = Expression<'v128'>;

/** A kernel that was written wrongly: a mistake in this package, not in its use. */
export class AssemblerError extends Error {
  override readonly name = 'AssemblerError';
}

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new AssemblerError(`${value} is no unsigned 32-bit number`);
  }
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128. */
export function signed(value: number): number[] {
  if (!Number.isInteger(value) || value < -0x80000000 || value > 0x7fffffff) {
    throw new AssemblerError(`${value} is no signed 32-bit number`);
  }
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    bytes.push(done ? byte : byte | 0x80);
    if (done) return bytes;
  }
}

const SIMD_PREFIX = 0xfd;
/** Opcode of an instruction: one byte, or a prefix and a number. */
const simd = (opcode: number): Code => [SIMD_PREFIX, unsigned(opcode)];

/** Throws unless operand `at` of `name` is of type `wanted`. */
export function requireType(name: string, at: number, operand: Expression, wanted: ValueType): void {
  if (operand?.type === wanted) return;
  throw new AssemblerError(
    `${name}: operand ${at + 1} is ${operand?.type ?? typeof operand}, expected ${wanted}`,
  );
}

type Operands<P extends readonly ValueType[]> = { [I in keyof P]: Expression<P[I]> };

/** An instruction with operands `parameters` and no immediates. */
function instruction<T extends ValueType, P extends readonly ValueType[]>(
  name: string,
  type: T,
  parameters: readonly [...P],
  opcode: Code,
): (...operands: Operands<P>) => Expression<T> {
  return (...operands) => {
    parameters.forEach((wanted, at) => {
      requireType(name, at, operands[at] as Expression, wanted);
    });
    return { type, code: [...operands.map((operand) => (operand as Expression).code), opcode] };
  };
}

/** Alignment that loads and stores promise: 4 bytes. Engines do not need more, and offsets of rows give no more. */
const ALIGN_4 = 2;

/** A load from `pointer + offset` bytes. */
function load<T extends ValueType>(name: string, type: T, opcode: Code, align = ALIGN_4) {
  return (pointer: I32, offset = 0): Expression<T> => {
    requireType(name, 0, pointer, 'i32');
    return { type, code: [pointer.code, opcode, unsigned(align), unsigned(offset)] };
  };
}

function requireLane(name: string, lane: number, lanes: number): void {
  if (Number.isInteger(lane) && lane >= 0 && lane < lanes) return;
  throw new AssemblerError(`${name}: lane ${lane} of ${lanes}`);
}

/** Takes one lane of a vector out. */
function extractLane<T extends ValueType>(name: string, type: T, opcode: number, lanes: number) {
  return (x: V128, lane: number): Expression<T> => {
    requireType(name, 0, x, 'v128');
    requireLane(name, lane, lanes);
    return { type, code: [x.code, simd(opcode), lane] };
  };
}

/** Puts a number into one lane of a vector. */
function replaceLane<T extends ValueType>(name: string, type: T, opcode: number, lanes: number) {
  return (x: V128, lane: number, value: Expression<T>): V128 => {
    requireType(name, 0, x, 'v128');
    requireType(name, 1, value, type);
    requireLane(name, lane, lanes);
    return { type: 'v128', code: [x.code, value.code, simd(opcode), lane] };
  };
}

const bytesOf = (values: Float32Array | Float64Array | Int32Array): number[] => [
  ...new Uint8Array(values.buffer),
];

const vectorConstant = (values: Float32Array | Float64Array | Int32Array): V128 => ({
  type: 'v128',
  code: [simd(12), bytesOf(values)],
});

const unary = (name: string, opcode: number) => instruction(name, 'v128', ['v128'], simd(opcode));
const binary = (name: string, opcode: number) => instruction(name, 'v128', ['v128', 'v128'], simd(opcode));
const compareI32 = (name: string, opcode: number) => instruction(name, 'i32', ['i32', 'i32'], [opcode]);

export const i32 = {
  const: (value: number): I32 => ({ type: 'i32', code: [0x41, signed(value)] }),
  load: load('i32.load', 'i32', [0x28]),
  load8U: load('i32.load8_u', 'i32', [0x2d], 0),
  eqz: instruction('i32.eqz', 'i32', ['i32'], [0x45]),
  /** Zeros below the lowest one: the index of the first bit that is set; 32 where none is. */
  ctz: instruction('i32.ctz', 'i32', ['i32'], [0x68]),
  eq: compareI32('i32.eq', 0x46),
  ne: compareI32('i32.ne', 0x47),
  ltS: compareI32('i32.lt_s', 0x48),
  gtS: compareI32('i32.gt_s', 0x4a),
  leS: compareI32('i32.le_s', 0x4c),
  geS: compareI32('i32.ge_s', 0x4e),
  add: compareI32('i32.add', 0x6a),
  sub: compareI32('i32.sub', 0x6b),
  mul: compareI32('i32.mul', 0x6c),
  divS: compareI32('i32.div_s', 0x6d),
  remS: compareI32('i32.rem_s', 0x6f),
  and: compareI32('i32.and', 0x71),
  or: compareI32('i32.or', 0x72),
  xor: compareI32('i32.xor', 0x73),
  shl: compareI32('i32.shl', 0x74),
  shrS: compareI32('i32.shr_s', 0x75),
  shrU: compareI32('i32.shr_u', 0x76),
  reinterpretF32: instruction('i32.reinterpret_f32', 'i32', ['f32'], [0xbc]),
  /** `condition` ? `a` : `b`, without a branch. */
  select: (a: I32, b: I32, condition: I32): I32 => {
    [a, b, condition].forEach((operand, at) => {
      requireType('select', at, operand, 'i32');
    });
    return { type: 'i32', code: [a.code, b.code, condition.code, 0x1b] };
  },
};

const binaryF32 = (name: string, opcode: number) => instruction(name, 'f32', ['f32', 'f32'], [opcode]);
const compareF32 = (name: string, opcode: number) => instruction(name, 'i32', ['f32', 'f32'], [opcode]);

export const f32 = {
  const: (value: number): F32 => ({ type: 'f32', code: [0x43, bytesOf(Float32Array.of(value))] }),
  load: load('f32.load', 'f32', [0x2a]),
  abs: instruction('f32.abs', 'f32', ['f32'], [0x8b]),
  neg: instruction('f32.neg', 'f32', ['f32'], [0x8c]),
  sqrt: instruction('f32.sqrt', 'f32', ['f32'], [0x91]),
  add: binaryF32('f32.add', 0x92),
  sub: binaryF32('f32.sub', 0x93),
  mul: binaryF32('f32.mul', 0x94),
  div: binaryF32('f32.div', 0x95),
  min: binaryF32('f32.min', 0x96),
  max: binaryF32('f32.max', 0x97),
  eq: compareF32('f32.eq', 0x5b),
  ne: compareF32('f32.ne', 0x5c),
  lt: compareF32('f32.lt', 0x5d),
  gt: compareF32('f32.gt', 0x5e),
  le: compareF32('f32.le', 0x5f),
  ge: compareF32('f32.ge', 0x60),
  convertI32S: instruction('f32.convert_i32_s', 'f32', ['i32'], [0xb2]),
  demoteF64: instruction('f32.demote_f64', 'f32', ['f64'], [0xb6]),
  reinterpretI32: instruction('f32.reinterpret_i32', 'f32', ['i32'], [0xbe]),
};

const binaryF64 = (name: string, opcode: number) => instruction(name, 'f64', ['f64', 'f64'], [opcode]);
const compareF64 = (name: string, opcode: number) => instruction(name, 'i32', ['f64', 'f64'], [opcode]);

export const f64 = {
  const: (value: number): F64 => ({ type: 'f64', code: [0x44, bytesOf(Float64Array.of(value))] }),
  load: load('f64.load', 'f64', [0x2b]),
  sqrt: instruction('f64.sqrt', 'f64', ['f64'], [0x9f]),
  max: binaryF64('f64.max', 0xa5),
  add: binaryF64('f64.add', 0xa0),
  sub: binaryF64('f64.sub', 0xa1),
  mul: binaryF64('f64.mul', 0xa2),
  div: binaryF64('f64.div', 0xa3),
  eq: compareF64('f64.eq', 0x61),
  lt: compareF64('f64.lt', 0x63),
  gt: compareF64('f64.gt', 0x64),
  convertI32S: instruction('f64.convert_i32_s', 'f64', ['i32'], [0xb7]),
  promoteF32: instruction('f64.promote_f32', 'f64', ['f32'], [0xbb]),
};

export const v128 = {
  load: load('v128.load', 'v128', simd(0)),
  not: unary('v128.not', 77),
  and: binary('v128.and', 78),
  /** a and not b. */
  andnot: binary('v128.andnot', 79),
  or: binary('v128.or', 80),
  xor: binary('v128.xor', 81),
  /** Bits of `a` where `mask` has ones, of `b` elsewhere. */
  bitselect: instruction('v128.bitselect', 'v128', ['v128', 'v128', 'v128'], simd(82)),
  anyTrue: instruction('v128.any_true', 'i32', ['v128'], simd(83)),
};

/** Four 32-bit lanes picked from the eight of `a` and `b`: lanes 0-3 are `a`'s, 4-7 are `b`'s. */
function shuffle(a: V128, b: V128, lanes: readonly [number, number, number, number]): V128 {
  requireType('shuffle', 0, a, 'v128');
  requireType('shuffle', 1, b, 'v128');
  for (const lane of lanes) requireLane('shuffle', lane, 8);
  const bytes = lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]);
  return { type: 'v128', code: [a.code, b.code, simd(13), bytes] };
}

export const f32x4 = {
  const: (...lanes: readonly [number, number, number, number]): V128 =>
    vectorConstant(Float32Array.from(lanes)),
  /** One number in all four lanes. */
  constSplat: (value: number): V128 => vectorConstant(new Float32Array(4).fill(value)),
  load: load('v128.load', 'v128', simd(0)),
  /** One number in memory to all four lanes. */
  loadSplat: load('v128.load32_splat', 'v128', simd(9)),
  /** Two numbers in memory to the low lanes, zeros above. */
  load64Zero: load('v128.load64_zero', 'v128', simd(93)),
  shuffle,
  splat: instruction('f32x4.splat', 'v128', ['f32'], simd(19)),
  extractLane: extractLane('f32x4.extract_lane', 'f32', 31, 4),
  replaceLane: replaceLane('f32x4.replace_lane', 'f32', 32, 4),
  eq: binary('f32x4.eq', 65),
  ne: binary('f32x4.ne', 66),
  lt: binary('f32x4.lt', 67),
  gt: binary('f32x4.gt', 68),
  le: binary('f32x4.le', 69),
  ge: binary('f32x4.ge', 70),
  nearest: unary('f32x4.nearest', 106),
  abs: unary('f32x4.abs', 224),
  neg: unary('f32x4.neg', 225),
  sqrt: unary('f32x4.sqrt', 227),
  add: binary('f32x4.add', 228),
  sub: binary('f32x4.sub', 229),
  mul: binary('f32x4.mul', 230),
  div: binary('f32x4.div', 231),
  /** NaN where either is; slower than `pmin`. */
  min: binary('f32x4.min', 232),
  max: binary('f32x4.max', 233),
  /** b < a ? b : a, one instruction on x86; a NaN in `a` stays, one in `b` is dropped. */
  pmin: binary('f32x4.pmin', 234),
  /** a < b ? b : a; a NaN in `a` stays, one in `b` is dropped. */
  pmax: binary('f32x4.pmax', 235),
  convertI32x4S: unary('f32x4.convert_i32x4_s', 250),
  demoteF64x2Zero: unary('f32x4.demote_f64x2_zero', 94),
  /** a · b + c, rounded once or twice as the machine likes; relaxed SIMD only. */
  relaxedMadd: instruction('f32x4.relaxed_madd', 'v128', ['v128', 'v128', 'v128'], simd(0x105)),
  /** -(a · b) + c, rounded once or twice as the machine likes; relaxed SIMD only. */
  relaxedNmadd: instruction('f32x4.relaxed_nmadd', 'v128', ['v128', 'v128', 'v128'], simd(0x106)),
};

/** Shifts every lane by the same number of bits. */
const shift = (name: string, opcode: number) => instruction(name, 'v128', ['v128', 'i32'], simd(opcode));

export const i32x4 = {
  const: (...lanes: readonly [number, number, number, number]): V128 =>
    vectorConstant(Int32Array.from(lanes)),
  constSplat: (value: number): V128 => vectorConstant(new Int32Array(4).fill(value)),
  splat: instruction('i32x4.splat', 'v128', ['i32'], simd(17)),
  extractLane: extractLane('i32x4.extract_lane', 'i32', 27, 4),
  replaceLane: replaceLane('i32x4.replace_lane', 'i32', 28, 4),
  eq: binary('i32x4.eq', 55),
  ltS: binary('i32x4.lt_s', 57),
  gtS: binary('i32x4.gt_s', 59),
  bitmask: instruction('i32x4.bitmask', 'i32', ['v128'], simd(164)),
  shl: shift('i32x4.shl', 171),
  shrS: shift('i32x4.shr_s', 172),
  shrU: shift('i32x4.shr_u', 173),
  add: binary('i32x4.add', 174),
  sub: binary('i32x4.sub', 177),
  mul: binary('i32x4.mul', 181),
  minS: binary('i32x4.min_s', 182),
  maxS: binary('i32x4.max_s', 184),
  truncSatF32x4S: unary('i32x4.trunc_sat_f32x4_s', 248),
  /** Products of eight pairs of 16-bit integers, the two of each 32-bit lane added: 8 multiply-adds, exact. */
  dotI16x8S: binary('i32x4.dot_i16x8_s', 186),
};

export const i16x8 = {
  /** Eight 32-bit integers as 16-bit ones: the lanes of `a`, then of `b`; what does not fit is clamped. */
  narrowI32x4S: binary('i16x8.narrow_i32x4_s', 133),
};

export const f64x2 = {
  constSplat: (value: number): V128 => vectorConstant(new Float64Array(2).fill(value)),
  splat: instruction('f64x2.splat', 'v128', ['f64'], simd(20)),
  extractLane: extractLane('f64x2.extract_lane', 'f64', 33, 2),
  sqrt: unary('f64x2.sqrt', 239),
  add: binary('f64x2.add', 240),
  sub: binary('f64x2.sub', 241),
  mul: binary('f64x2.mul', 242),
  div: binary('f64x2.div', 243),
  /** The two low f32 lanes as f64. */
  promoteLowF32x4: unary('f64x2.promote_low_f32x4', 95),
};
