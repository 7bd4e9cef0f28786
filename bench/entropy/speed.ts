/** Symbols a second of the coders, beside npm's, in rounds that go from one to the next. */
import { decodeBytes, encodeBytes } from '@thi.ng/range-coder';
import {
  type CodewordModel,
  decodeRun,
  encodeRun,
  FrequencyTable,
  frequenciesFromCounts,
  OrderZero,
  TOTAL_BITS,
} from '../../src/entropy/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { median } from '../statistics.js';
import { decodeShares, encodeShares } from './compressjs.js';

const SYMBOLS = 1_000_000;
const CODEWORDS = 256;
const ROUNDS = 9;

interface Runner {
  readonly name: string;
  readonly symbols: number;
  encode(): number;
  decode(): void;
}

/** 256 codewords of which some are frequent: about 7 bits each. */
function skewed(): { readonly symbols: Int32Array; readonly table: FrequencyTable } {
  const random = createRandom(1);
  const draw = () => Math.floor(CODEWORDS * random() ** 2);
  const symbols = Int32Array.from({ length: SYMBOLS }, draw);
  const counts = new Float64Array(CODEWORDS).fill(1);
  for (const symbol of symbols) counts[symbol]!++;
  return { symbols, table: new FrequencyTable(frequenciesFromCounts(counts)) };
}

function ours(name: string, model: CodewordModel, indices: Int32Array, stages: number): Runner {
  let bytes: Uint8Array = new Uint8Array();
  return {
    name,
    symbols: indices.length,
    encode: () => {
      bytes = encodeRun({ indices, stages }, model);
      return bytes.length;
    },
    decode: () => {
      const back = decodeRun(bytes, indices.length / stages, stages, model);
      if (back[indices.length - 1] !== indices[indices.length - 1]) throw new Error(`${name}: not the same`);
    },
  };
}

function runners(context: { model: CodewordModel; indices: Int32Array; stages: number }): Runner[] {
  const { symbols, table } = skewed();
  const { cumulative } = table;
  const room = new Uint8Array(2 * SYMBOLS);
  const back = new Int32Array(SYMBOLS);
  const symbolAt = new Uint8Array(2 ** TOTAL_BITS);
  for (let v = 0; v < CODEWORDS; v++) symbolAt.fill(v, cumulative[v], cumulative[v + 1]);
  let length = 0;
  const plain = Uint8Array.from(symbols);
  let theirs: Uint8Array = new Uint8Array();
  return [
    ours('acom, order 0', new OrderZero([table]), symbols, 1),
    {
      name: 'compressjs, range coder, same table',
      symbols: SYMBOLS,
      encode: () => {
        length = encodeShares(symbols, cumulative, TOTAL_BITS, room);
        return length;
      },
      decode: () => decodeShares(room.subarray(0, length), back, cumulative, TOTAL_BITS, symbolAt),
    },
    {
      name: '@thi.ng/range-coder, adaptive',
      symbols: SYMBOLS,
      encode: () => {
        theirs = new Uint8Array(encodeBytes(plain));
        return theirs.length;
      },
      decode: () => {
        decodeBytes(theirs);
      },
    },
    ours("acom, the recogniser's contexts", context.model, context.indices, context.stages),
  ];
}

/** Lines of a table. */
export function speedLines(context: { model: CodewordModel; indices: Int32Array; stages: number }): string[] {
  const all = runners(context);
  const times = all.map(() => ({ encode: [] as number[], decode: [] as number[], bytes: 0 }));
  for (let round = 0; round <= ROUNDS; round++) {
    all.forEach((runner, n) => {
      // The first round warms up; coders that take seconds do not need nine.
      if (round > 2 && times[n]!.encode[0]! > 0.5) return;
      const begun = performance.now();
      times[n]!.bytes = runner.encode();
      const encoded = performance.now();
      runner.decode();
      const decoded = performance.now();
      if (round === 0) return;
      times[n]!.encode.push((encoded - begun) / 1000);
      times[n]!.decode.push((decoded - encoded) / 1000);
    });
  }
  return [
    '| coder | encode | decode | bits a symbol |',
    '| --- | ---: | ---: | ---: |',
    ...all.map(({ name, symbols }, n) => {
      const { encode, decode, bytes } = times[n]!;
      const rate = (seconds: readonly number[]) =>
        `${(symbols / median(seconds) / 1e6).toFixed(1)} M/s (best ${(symbols / Math.min(...seconds) / 1e6).toFixed(1)})`;
      return `| ${name} | ${rate(encode)} | ${rate(decode)} | ${((8 * bytes) / symbols).toFixed(3)} |`;
    }),
  ];
}
