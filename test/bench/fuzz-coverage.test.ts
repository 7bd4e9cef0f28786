/** The fuzzer that coverage guides: it gets where blind damage does not, and says what it found. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { Campaign } from '../../bench/fuzz-coverage/campaign.js';
import { damaged, MOST_BYTES, sealed } from '../../bench/fuzz-coverage/mutations.js';
import { readStream } from '../../src/bitstream/index.js';
import { AcomError, createRandom } from '../../src/tensor/index.js';
import { bytesOf, readGolden, vectorsOfPackets } from '../bitstream/golden-streams.js';
import { plainEnvironment } from '../support/cli.js';
import { mutate } from '../support/fuzz.js';
import { repository } from '../support/shared.js';

/** A reader with a fault behind six letters, each of which is compared only where those before it are right. */
function faultyReader() {
  const secret = new TextEncoder().encode('acoder');
  let deepest = 0;
  let last = 0;
  return {
    run({ bytes }: { readonly bytes: Uint8Array }): boolean {
      last = 0;
      while (last < secret.length && bytes[last] === secret[last]) last++;
      if (last === secret.length) throw new Error('the fault');
      return last > 0;
    },
    coverage: {
      total: secret.length,
      reset() {},
      isNew() {
        const isDeeper = last > deepest;
        deepest = Math.max(deepest, last);
        return isDeeper;
      },
      reached: () => deepest,
    },
  };
}

t.test('guided, it finds what is six steps away; of seeds alone, it does not', async (t) => {
  for (const guided of [true, false]) {
    const { run, coverage } = faultyReader();
    const random = createRandom(3);
    const campaign = new Campaign({
      seeds: [{ target: 0, bytes: new Uint8Array(8) }],
      run,
      coverage,
      mutate({ bytes }) {
        const changed = bytes.slice();
        changed[Math.floor(8 * random())] = Math.floor(256 * random());
        return changed;
      },
      random,
      guided,
    });
    while (campaign.cases < 60_000) campaign.step();
    t.equal(campaign.findings.size, guided ? 1 : 0, `${coverage.reached()} steps`);
    for (const { message, input } of campaign.findings.values()) {
      t.match(message, /the fault/);
      t.equal(new TextDecoder().decode(input.bytes.subarray(0, 6)), 'acoder', 'with the input that shows it');
      t.throws(() => run(input), /the fault/);
    }
    t.equal(campaign.corpus.length, guided ? 7 : 1, 'the seed, and one for each step');
  }
});

/** Packets of a stream whose checksums are right. */
function goodPackets(bytes: Uint8Array, expected: number): number {
  try {
    return readStream(bytes, () => expected).packets.filter((packet) => packet !== null).length;
  } catch (error) {
    if (error instanceof AcomError) return 0;
    throw error;
  }
}

t.test('damage that is sealed passes the checksums', async (t) => {
  const random = createRandom(11);
  const golden = readGolden();
  let [plain, right, other] = [0, 0, 0];
  for (let n = 0; n < 2000; n++) {
    const stream = golden[n % golden.length]!;
    const bytes = bytesOf(stream.hex);
    const expected = vectorsOfPackets(stream).length;
    t.same(sealed(bytes), bytes) || t.bailout('a whole stream is changed');
    const hurt = bytes.slice();
    const at = bytes.length - 3 - Math.floor(random() * 3);
    hurt[at]! ^= 1 << Math.floor(8 * random());
    if (goodPackets(hurt, expected) === expected) plain++;
    if (goodPackets(sealed(hurt), expected) === expected) right++;
    const made = damaged(bytes, bytes, random);
    t.ok(made.length <= MOST_BYTES) || t.bailout('an input is too long');
    if (goodPackets(made, expected) > 0) other++;
    mutate(made, random);
  }
  t.equal(plain, 0, 'no checksum misses a bit');
  t.ok(right > 1500, `${right} of 2000 are whole again`);
  t.ok(other > 1000, `${other} of 2000 have a packet that is looked at`);
});

t.test('the command: nothing found, and more branches than by blind damage', async (t) => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [join(repository, 'dist/bench/fuzz-coverage/run.js'), '--cases', '1500'],
    { env: plainEnvironment(), cwd: repository },
  );
  t.equal(stderr, '');
  const [guided, same, blind] = [
    ...stdout.matchAll(/: 1,500 cases .* (\d+) of (\d+) branches.* 0 findings$/gm),
  ].map(([, reached, total]) => ({ reached: Number(reached), total: Number(total) }));
  t.ok(guided!.reached > blind!.reached + 5, stdout);
  t.ok(same!.reached > blind!.reached);
  t.equal(guided!.total, blind!.total);
  t.ok(guided!.reached > 0.7 * guided!.total);
  t.match(stdout, /codec\/stream-coder\.js +\d+ of \d+$/m);
});
