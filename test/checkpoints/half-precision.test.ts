/** Half precision against its definition in float64, for every one of the 65,536 halves. */
import fc from 'fast-check';
import t from 'tap';
import { readSafetensors, writeSafetensors } from '../../src/checkpoints/index.js';

type Half = 'F16' | 'BF16';
const ALL = 65_536;

/** A half by its definition: sign, exponent, fraction. */
function numberOf(half: number, type: Half): number {
  const fractionBits = type === 'F16' ? 10 : 7;
  const exponents = type === 'F16' ? 31 : 255;
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> fractionBits) & exponents;
  const fraction = (half & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = (exponents - 1) / 2;
  if (exponent === exponents) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

/** Halves as they are stored, made by the writer from float32. */
function store(data: Float32Array, type: Half): Uint16Array {
  const file = writeSafetensors(new Map([['x', { data, shape: [data.length], type }]]));
  return new Uint16Array(file.slice(-2 * data.length).buffer);
}

/** A file of the given halves, read. */
function load(halves: Uint16Array, type: Half): Float32Array {
  const file = writeSafetensors(
    new Map([['x', { data: new Float32Array(halves.length), shape: [halves.length], type }]]),
  );
  file.set(new Uint8Array(halves.buffer), file.length - 2 * halves.length);
  return readSafetensors(file).tensors.get('x')!.data as Float32Array;
}

for (const type of ['F16', 'BF16'] as const) {
  const all = Uint16Array.from({ length: ALL }, (_, i) => i);

  t.test(`every ${type} is read as its value, and written back bit for bit`, async (t) => {
    const widened = load(all, type);
    const wrong = all.filter((half) => !Object.is(widened[half], numberOf(half, type)));
    t.same([...wrong], []);
    t.same([...store(widened, type).entries()].filter(([i, half]) => i !== half).slice(0, 5), []);
  });

  t.test(`float32 is rounded to the nearest ${type}, ties to even`, async (t) => {
    const values = all
      .map((half) => half)
      .filter((half) => Number.isFinite(numberOf(half, type)) && half < 0x8000);
    const largest = numberOf(values.at(-1)!, type);
    const next = 2 * largest - numberOf(values.at(-2)!, type);
    // Between each half and the next: the middle, and its neighbours in float32.
    const between: number[] = [];
    const expected: number[] = [];
    for (const half of values) {
      const [low, high] = [numberOf(half, type), half === values.at(-1) ? next : numberOf(half + 1, type)];
      const middle = (low + high) / 2;
      const step = Math.max(middle * 2 ** -23, 2 ** -149);
      if (Math.fround(middle) === middle) {
        between.push(middle);
        expected.push(half % 2 === 0 ? half : half + 1);
      }
      between.push(middle + step, middle - step);
      expected.push(half + 1, half);
    }
    const exact = between.map((x, i) => [x, expected[i]!] as const).filter(([x]) => Math.fround(x) === x);
    t.ok(exact.length > values.length, `${exact.length} cases`);
    const stored = store(Float32Array.from(exact.flatMap(([x]) => [x, -x])), type);
    const wrong = exact.filter(
      ([, half], i) => stored[2 * i] !== half || stored[2 * i + 1] !== half + 0x8000,
    );
    t.same(wrong.slice(0, 5), []);
  });

  t.test(`any float32 goes to a ${type} that no other is nearer to`, async (t) => {
    const property = fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
      const half = store(Float32Array.of(x), type)[0]!;
      const distance = Math.abs(numberOf(half, type) - x);
      const neighbours = [half - 1, half + 1].map((other) => numberOf(other & 0xffff, type));
      return distance === Infinity || neighbours.every((other) => !(Math.abs(other - x) < distance));
    });
    fc.assert(property, { seed: 1, numRuns: 10_000 });
    t.ok(Number.isNaN(numberOf(store(Float32Array.of(Number.NaN), type)[0]!, type)), 'a NaN stays one');
    const signalling = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001).buffer);
    t.ok(
      store(signalling, type).every((half) => Number.isNaN(numberOf(half, type))),
      'one of low bits only, too',
    );
  });
}
