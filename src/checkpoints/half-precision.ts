/**
 * Half-precision numbers to float32 and back, on their bits, so that NaNs keep theirs: IEEE 754 binary16
 * (1 sign, 5 exponent, 10 fraction bits) and bfloat16 (the upper half of a float32).
 */

/** The float32 bits of each binary16. */
function float16Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // A subnormal: shifted until its leading bit is the implicit one of float32.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13);
}

/** Bits without their lowest `count`, rounded to nearest, ties to even. */
function rounded(bits: number, count: number): number {
  const half = 1 << (count - 1);
  const odd = (bits >>> count) & 1;
  return (bits + half - 1 + odd) >>> count;
}

/** The nearest binary16 of a float32: too large becomes infinity, a NaN stays one. */
function toFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7c00 | ((magnitude >>> 13) & 1023 || 512);
  // From 65,520 on, half the way from the largest number to what would be the next.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Subnormal below 2^-14: the fraction with its implicit bit, in units of 2^-24.
  if (magnitude < 0x38800000) {
    const shift = 126 - (magnitude >>> 23);
    return shift > 24 ? sign : sign | rounded((magnitude & 0x7fffff) | 0x800000, shift);
  }
  return sign | rounded(magnitude - (112 << 23), 13);
}

/** The nearest bfloat16 of a float32. */
function toBfloat16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | ((bits >>> 16) & 0x7f ? 0 : 0x40);
  // Not `rounded`: the sign bit must stay out of a signed sum.
  return ((bits >>> 16) + ((bits & 0xffff) + 0x7fff + ((bits >>> 16) & 1) >= 0x10000 ? 1 : 0)) & 0xffff;
}

function widen(bytes: Uint8Array, bitsOf: (half: number) => number): Float32Array {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = bitsOf(halves[i]!);
  return new Float32Array(out.buffer);
}

function narrow(data: Float32Array, halfOf: (bits: number) => number): Uint8Array {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < out.length; i++) out[i] = halfOf(bits[i]!);
  return new Uint8Array(out.buffer);
}

/** Bytes of binary16 numbers, aligned to 2, as float32. */
export const widenFloat16 = (bytes: Uint8Array): Float32Array => widen(bytes, float16Bits);
/** Bytes of bfloat16 numbers, aligned to 2, as float32. */
export const widenBfloat16 = (bytes: Uint8Array): Float32Array => widen(bytes, (half) => half << 16);
/** Float32 numbers as bytes of the nearest binary16. */
export const narrowToFloat16 = (data: Float32Array): Uint8Array => narrow(data, toFloat16);
/** Float32 numbers as bytes of the nearest bfloat16. */
export const narrowToBfloat16 = (data: Float32Array): Uint8Array => narrow(data, toBfloat16);
