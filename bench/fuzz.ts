/**
 * npm run bench:fuzz -- [cases]: damaged copies of every golden stream through the reader and the entropy decoder, 1,000,000 of
 * them unless it is said otherwise. Ends with 1 where an error was none of acom's own.
 */
import { bytesOf, indicesOf, readGolden } from '../test/bitstream/golden-streams.js';
import { fuzz } from '../test/support/fuzz.js';

const cases = Number(process.argv[2] ?? 1_000_000);
const golden = readGolden();
let turn = 0;
const begun = performance.now();
const { accepted, rejected, crashes, slowestMilliseconds, mostBytes } = await fuzz(
  golden.map(({ hex }) => bytesOf(hex)),
  cases,
  // The fuzzer takes the originals in turns.
  (bytes) => indicesOf(bytes, golden[turn++ % golden.length]!),
);
console.log(
  `${cases} damaged streams in ${((performance.now() - begun) / 1000).toFixed(0)} s: ${accepted} read, some packets lost; ${rejected} refused with ` +
    `typed errors; ${crashes.length} other errors; slowest ${slowestMilliseconds.toFixed(1)} ms, most memory ${mostBytes} bytes`,
);
for (const crash of crashes.slice(0, 10)) console.error(crash);
if (crashes.length > 0) process.exitCode = 1;
