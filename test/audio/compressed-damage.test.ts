/** Compressed recordings that are cut short, damaged, or small and stand for much. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { readOpus, readRecording, readVorbis } from '../../src/audio/index.js';
import { fuzz } from '../support/fuzz.js';
import { granuleOf, oggPage, oggPagesOf, withChecksums } from '../support/ogg.js';
import { repository } from '../support/shared.js';

const fixture = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(join(repository, 'test/fixtures/audio', name)));
const ascii = (text: string): Uint8Array => Uint8Array.from([...text].map((c) => c.charCodeAt(0)));
const joined = (...pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(pieces));

for (const name of ['digits.ogg', 'digits.opus', 'digits.mp3', 'tones-44k.oga', 'tones-48k-untagged.mp3']) {
  t.test(`${name}, cut short`, async (t) => {
    const bytes = fixture(name);
    const whole = (await readRecording(bytes)).samples;
    for (const part of [0.75, 0.85, 0.96]) {
      const length = Math.floor(part * bytes.length);
      const { samples, missingSamples } = await readRecording(bytes.subarray(0, length));
      t.ok(samples.length > 0 && samples.length < whole.length, `${samples.length} of ${whole.length}`);
      t.ok(missingSamples > 0, `${missingSamples} missing`);
      // MP3 and FLAC say how many there were; Ogg, how many up to the end of the page that was cut.
      if (/digits.mp3|oga/.test(name)) t.equal(samples.length + missingSamples, whole.length);
      else t.ok(samples.length + missingSamples <= whole.length + 1152);
      const sure = samples.length - 1152;
      const wrong = samples.subarray(0, sure).findIndex((x, i) => x !== whole[i]);
      t.equal(wrong, -1, 'what is there is right');
    }
  });
}

for (const name of ['digits.ogg', 'digits.opus']) {
  t.test(`${name} without pages in the middle`, async (t) => {
    const bytes = fixture(name);
    const whole = (await readRecording(bytes)).samples.length;
    const pages = oggPagesOf(bytes);
    const at = pages.length - 2;
    const without = await readRecording(joined(...pages.slice(0, at), ...pages.slice(at + 1)));
    t.ok(without.samples.length > 0.2 * whole && without.missingSamples > 0.05 * whole);
    t.equal(without.samples.length + without.missingSamples, whole);
    pages[at]![100]! ^= 1;
    t.same(await readRecording(joined(...pages)), without, 'nor are damaged ones decoded');
  });
}

const FUZZED = {
  'Ogg Vorbis': ['speech-8k.ogg', 'tones-44k.ogg'],
  'Ogg Opus': ['speech-8k.opus', 'tones-48k.opus', 'tones-48k-6.opus'],
  'Ogg FLAC': ['tones-44k.oga'],
  MP3: ['speech-8k.mp3', 'tone-16k.mp3', 'tones-48k-untagged.mp3', 'tone-16k.mp2'],
};
for (const [format, names] of Object.entries(FUZZED)) {
  t.test(`400 damaged files of ${format}: typed errors only, nothing printed`, async (t) => {
    const originals = names.map(fixture);
    const printed: unknown[] = [];
    const methods = ['log', 'info', 'warn', 'error', 'debug'] as const;
    const kept = methods.map((method) => console[method]);
    const print = (...about: unknown[]): void => {
      printed.push(about);
    };
    for (const method of methods) console[method] = print;
    let longest = 0;
    let odd = 0;
    let turn = 0;
    const result = await fuzz(originals, 400, async (bytes) => {
      // Half of the Ogg files have right checksums, so that the decoders see the damage.
      const { samples } = await readRecording(turn++ % 2 === 0 ? withChecksums(bytes) : bytes);
      longest = Math.max(longest, samples.length);
      if (!samples.every(Number.isFinite)) odd++;
    });
    t.equal(console.error, print, 'the console is as it was');
    methods.forEach((method, i) => {
      console[method] = kept[i]!;
    });
    t.same(printed, []);
    t.same(result.crashes, []);
    t.ok(result.accepted > 100 && result.rejected > 25, `${result.accepted}, ${result.rejected} rejected`);
    t.ok(longest < 1e6, `${longest} samples at most`);
    t.equal(odd, 0, 'samples are numbers');
    t.ok(result.mostBytes < 1 << 26, `${result.mostBytes} bytes at most`);
  });
}

t.test('small files that stand for more than is read', async (t) => {
  // At one sample a second, 24 hours are 86,400 samples.
  const vorbis = fixture('digits.ogg');
  new DataView(vorbis.buffer).setUint32(28 + 12, 1, true);
  t.match(await readVorbis(withChecksums(vorbis)), { samples: { length: 43363 }, sampleRate: 1 });
  const pages = oggPagesOf(withChecksums(vorbis));
  const audio = pages.slice(2);
  const long = joined(...pages.slice(0, 2), ...audio, ...audio, ...audio);
  await t.rejects(readVorbis(long), { name: 'AudioError', message: /more than 24 hours/ });

  const opus = oggPagesOf(fixture('speech-8k.opus'));
  const last = opus.at(-1)!;
  new DataView(last.buffer).setBigInt64(6, 2n ** 50n, true);
  await t.rejects(readOpus(withChecksums(joined(...opus))), {
    name: 'AudioError',
    message: /hours; at most 24/,
  });

  const mp3 = fixture('tone-16k.mp3');
  const info = Buffer.from(mp3).indexOf('Xing');
  new DataView(mp3.buffer).setUint32(info + 8, 2 ** 31);
  await t.rejects(readRecording(mp3), { name: 'AudioError', message: /hours; at most 24/ });
});

/** An Opus file of packets that are 120 ms of 48 empty frames, in 8 channels of which one is decoded. */
function emptyOpus(pages: number): Uint8Array {
  const head = Uint8Array.from([...ascii('OpusHead'), 1, 8, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 255, 1, 0]);
  const mapping = Uint8Array.from({ length: 8 }, () => 0);
  const first = joined(head, mapping);
  const tags = joined(ascii('OpusTags'), new Uint8Array(8));
  const packets = Array.from({ length: 250 }, () => [0x83, 48]).flat();
  return joined(
    oggPage({ lengths: [first.length], body: first, granule: 0n, sequence: 0, flags: 2 }),
    oggPage({ lengths: [tags.length], body: tags, granule: 0n, sequence: 1 }),
    ...Array.from({ length: pages }, (_, i) =>
      oggPage({
        lengths: new Array<number>(250).fill(2),
        body: Uint8Array.from(packets),
        granule: BigInt((i + 1) * 250 * 5760),
        sequence: i + 2,
      }),
    ),
  );
}

t.test('memory is that of one channel and a few packets', async (t) => {
  // 8 KB for 460 MB of samples, of which 58 MB are left after mixing
  const file = join(t.testdir(), 'large.opus');
  writeFileSync(file, emptyOpus(10));
  t.ok(readFileSync(file).length < 8000);
  const script = `
    import { readFileSync } from 'node:fs';
    import { readOpus } from ${JSON.stringify(join(repository, 'dist/src/audio/index.js'))};
    const { samples, missingSamples } = await readOpus(readFileSync(${JSON.stringify(file)}));
    console.log(JSON.stringify([samples.length, missingSamples, process.resourceUsage().maxRSS / 1024]));`;
  const { stdout } = await promisify(execFile)('node', ['--input-type=module', '-e', script]);
  const [length, missing, megabytes] = JSON.parse(stdout) as [number, number, number];
  t.same([length, missing], [2500 * 5760, 0]);
  t.ok(megabytes < 350, `${megabytes.toFixed(0)} MB`);
});

t.test('Ogg as it is out there', async (t) => {
  for (const name of ['digits.ogg', 'digits.opus']) {
    const bytes = fixture(name);
    const { samples } = await readRecording(bytes);
    const [first, second, ...rest] = oggPagesOf(bytes) as [Uint8Array, Uint8Array, ...Uint8Array[]];

    // Another stream in the same file, and rubbish between pages
    const other = { serial: 7, granule: 0n, lengths: [5], body: ascii('other') };
    const mixed = joined(
      first,
      oggPage({ ...other, sequence: 0, flags: 2 }),
      second,
      oggPage({ ...other, sequence: 1 }),
      ascii('OggS and rubbish'),
      ...rest,
    );
    t.same((await readRecording(mixed)).samples, samples);

    await t.rejects(readRecording(joined(bytes, bytes)), {
      name: 'FormatError',
      message: /several recordings/,
    });

    // A broadcast that was joined later
    const hour = 3600n * 48_000n;
    const later = rest.map((page) => {
      const moved = Uint8Array.from(page);
      if (granuleOf(page) > 0n) new DataView(moved.buffer).setBigInt64(6, granuleOf(page) + hour, true);
      return moved;
    });
    const joinedLater = await readRecording(withChecksums(joined(first, second, ...later)));
    t.same(joinedLater.samples, samples);
    t.equal(joinedLater.missingSamples, 0);
  }

  // Comments with a picture, over several pages
  const pages = oggPagesOf(fixture('digits.opus'));
  const picture = joined(ascii('OpusTags'), new Uint8Array(100_000));
  const most = 255 * 255;
  const comments = [
    oggPage({
      lengths: new Array(255).fill(255),
      body: picture.subarray(0, most),
      granule: -1n,
      sequence: 1,
    }),
    oggPage({
      lengths: [
        ...new Array<number>(Math.floor((picture.length - most) / 255)).fill(255),
        (picture.length - most) % 255,
      ],
      body: picture.subarray(most),
      granule: 0n,
      sequence: 2,
      flags: 1,
    }),
  ];
  const shifted = pages.slice(2).map((page) => {
    const view = new DataView(page.buffer);
    view.setUint32(18, view.getUint32(18, true) + 1, true);
    return page;
  });
  const pictured = withChecksums(joined(pages[0]!, ...comments, ...shifted));
  t.same((await readOpus(pictured)).samples, (await readOpus(fixture('digits.opus'))).samples);

  // Output gain: half of full scale less, in 1/256 dB
  const quiet = fixture('digits.opus');
  new DataView(quiet.buffer).setInt16(28 + 16, -1541, true);
  const [loud, soft] = [
    (await readOpus(fixture('digits.opus'))).samples,
    (await readOpus(withChecksums(quiet))).samples,
  ];
  t.ok(soft.every((x, i) => Math.abs(x - loud[i]! / 2) < 1e-4));
});
