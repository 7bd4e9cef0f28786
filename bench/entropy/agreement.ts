/**
 * npm run bench:entropy-agreement -- [--vectors n]: that encoders and decoders of codewords keep the same state on Node, in
 * headless Chromium and in a Python that follows src/bitstream/README.md alone, over ten million seeded vectors by the shipped
 * recogniser's tables. For each coding the CRC-32s of all codewords, all bytes and all decisions. Exits 1 on any difference.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { crcText } from '../../src/codec/model-file.js';
import { describeMachine, thisMachine } from '../report.js';
import { modelPath } from '../shipped.js';
import { others, type Told, type Work } from './agreement-others.js';
import { type CheckedCoding, decodeAll, encodeAll, openCoders, type Trace } from './agreement-sides.js';

const CODINGS: readonly CheckedCoding[] = ['order-0', 'adaptive', 'context'];
/** What the shipped recogniser sends if it is not told. */
const STAGES = 2;
const COLUMNS = ['codewords', 'bytes', 'decisions'] as const;

const { values } = parseArgs({ options: { vectors: { type: 'string', default: '10000000' } } });
const vectors = Number(values.vectors);
if (!Number.isSafeInteger(vectors) || vectors < 1)
  throw new Error(`--vectors is ${values.vectors}; use a whole number above 0`);

/** Where a trace is not the reference's, each as a line. */
function differences(who: string, coding: CheckedCoding, trace: Trace, reference: Trace): string[] {
  return COLUMNS.flatMap((column) => {
    const [crcs, expected] = [trace[column], reference[column]];
    const most = Math.max(crcs.length, expected.length);
    const first = Array.from({ length: most }, (_, n) => n).find((n) => crcs[n] !== expected[n]);
    return first === undefined ? [] : [`${coding}: other ${column} ${who}, from run ${first} on`];
  });
}

interface Side {
  readonly name: string;
  /** Null where it is not there, or what it said when it failed. */
  readonly told: Told | string | null;
  readonly seconds: number;
}

async function timed(name: string, tell: () => Promise<Told>): Promise<Side> {
  const begun = performance.now();
  const told = await tell().catch((error: Error) => error.message);
  return { name, told, seconds: (performance.now() - begun) / 1000 };
}

const lastOf = (crcs: readonly number[]): string => (crcs.length > 0 ? crcText(crcs.at(-1)!) : '-');

/** The CRC of a column: of the decoder, and of the encoder too where that has another. */
function cell({ told }: Side, column: keyof Trace): string {
  if (told === null) return 'skipped';
  if (typeof told === 'string') return 'failed';
  const { encoded = told.decoded, decoded } = told;
  return [...new Set([lastOf(decoded[column]), lastOf(encoded[column])])].join(' / ');
}

const model = new Uint8Array(readFileSync(modelPath));
const coders = await openCoders(model, STAGES);
const found: string[] = [];

/** The line of a coding. */
async function check(coding: CheckedCoding): Promise<string> {
  const begun = performance.now();
  const { file, trace: reference, packed } = encodeAll(coders, coding, vectors);
  const encoding = (performance.now() - begun) / 1000;
  const node = await timed('Node', async () => ({
    encoded: reference,
    decoded: decodeAll(coders, coding, file),
  }));
  const sides: Side[] = [{ ...node, seconds: node.seconds + encoding }];
  const work: Work = { model, modelPath, coding, stages: STAGES, vectors, file };
  for (const { name, missing, tell } of others)
    sides.push(missing ? { name, told: null, seconds: 0 } : await timed(name, () => tell(work)));
  for (const { name, told } of sides) {
    if (typeof told === 'string') found.push(`${coding}: ${name} failed: ${told}`);
    else if (told !== null) {
      found.push(...differences(`decoded by ${name}`, coding, told.decoded, reference));
      if (told.encoded) found.push(...differences(`encoded by ${name}`, coding, told.encoded, reference));
    }
  }
  const runs = reference.bytes.length;
  const cells = [
    coding,
    vectors,
    packed,
    runs,
    file.length - 4 - 8 * runs,
    ...COLUMNS.map((column) => sides.map((side) => cell(side, column)).join(', ')),
    sides.map(({ told, seconds }) => (told === null ? '-' : seconds.toFixed(1))).join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

console.log(`${describeMachine(thisMachine())}, ${new Date().toISOString().slice(0, 10)}`);
for (const { name, missing } of others) if (missing) console.log(`without ${name}: ${missing}`);
console.log(`
CRC-32s and seconds of ${['Node', ...others.map(({ name }) => name)].join(', ')}

| coding | vectors | of them packed | runs | bytes | codewords | bytes | decisions | seconds |
| --- | ---: | ---: | ---: | ---: | --- | --- | --- | ---: |`);
for (const coding of CODINGS) console.log(await check(coding));
console.log(`\n${found.length === 0 ? 'no differences' : found.join('\n')}`);
if (found.length > 0) process.exitCode = 1;
