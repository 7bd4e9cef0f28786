/** The page with a server: what it sends is what Node's encoder makes, and what it shows is what the server hears. */
// Before anything asks what the engine can do: Chromium has relaxed SIMD.
import '../support/relaxed.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseLivePacket, parseOpening } from '../../src/bitstream/index.js';
import { LIVE_MODEL } from '../../src/build/page.js';
import { loadCodecModel } from '../../src/codec/index.js';
import { readWav, writeWav } from '../../src/index.js';
import { noChromium } from '../support/chromium.js';
import { readSamples, samplesFolder } from '../support/commands.js';
import { PageServer } from '../support/page-server.js';
import { repository } from '../support/shared.js';
import {
  builtPage,
  done,
  drop,
  openPage,
  ready,
  statusOf,
  withMicrophone,
  wordsOf,
} from '../support/web-page.js';

process.chdir(repository);
const mixed = readFileSync(join(samplesFolder, 'mixed.wav'));
const model = await loadCodecModel(LIVE_MODEL);
const encoder = await model.deviceEncoder();
const decoder = (await model.cloudDecoder()).live();

/** The messages that Node's encoder makes of a recording. */
function messagesOf(bytes: Uint8Array, options: Parameters<typeof encoder.live>[1] = {}): Uint8Array[] {
  const { samples, sampleRate } = readWav(bytes);
  const live = encoder.live(sampleRate, options);
  return [live.opening, ...live.push(samples), ...live.finish()];
}

/** Words of a stream, by a decoder of its own. */
function wordsIn([opening, ...packets]: readonly Uint8Array[]): string[] {
  const stream = decoder.open(opening!);
  return packets.flatMap((packet) => stream.receive(packet).words.map(({ word }) => word));
}

const plain = (messages: readonly Uint8Array[]) => messages.map((message) => [...message]);

t.test('in Chromium, with a server', { skip: noChromium, timeout: 140_000 }, async (t) => {
  const { folder, remove } = await builtPage();
  t.teardown(remove);
  const server = await PageServer.start({ folder, modelFile: LIVE_MODEL });
  t.teardown(() => server.stop());
  // What the microphone hears over and over.
  const spoken = readSamples()[0]!;
  await withMicrophone(spoken.samples, spoken.sampleRate, async (browser) => {
    const { page, problems } = await openPage(browser, server.url, {
      viewport: { width: 1200, height: 900 },
    });
    await ready(page);
    await page.locator('#connection[data-state=good]').waitFor();
    const talk = page.getByRole('button', { name: 'Talk' });

    // A file that is dropped
    await drop(page, mixed, 'mixed.wav');
    await done(page);
    const wanted = messagesOf(mixed);
    const { messages, protocols, wireBytes } = server.streams[0]!;
    t.same(plain(messages), plain(wanted), 'the bytes of Node’s encoder, message for message');
    t.equal(protocols, 'acom');
    t.ok(wordsIn(wanted).length >= 3, wordsIn(wanted).join(' '));
    t.same(await wordsOf(page), wordsIn(wanted), 'the words that are in them');
    t.equal(
      (await page.locator('#spoken').textContent())?.trim(),
      wordsIn(wanted).join(' '),
      'also for screen readers',
    );
    const bitsOf = async (row: string) => {
      const text = (await page.locator(`#row-${row} .bits`).textContent()) ?? '';
      return Number(text.replace(/[ ,a-z]/g, ''));
    };
    const bytes = wanted.reduce((sum, { length }) => sum + length, 0);
    t.equal(await bitsOf('acom'), 8 * bytes, 'every byte is counted');
    t.equal(await bitsOf('framed'), 8 * wireBytes, 'frames as the server received them');
    const { samples, sampleRate } = readWav(mixed);
    t.equal(
      Number(await page.locator('#rate').textContent()),
      Math.round((8 * bytes * sampleRate) / samples.length),
      'bits over the seconds of the recording',
    );

    // Words and codes by keyboard
    const first = page.locator('.word').first();
    await first.focus();
    await page.keyboard.press('ArrowRight');
    const said = wordsIn(wanted)[1]!;
    t.equal(await page.evaluate(() => document.activeElement?.textContent), said);
    t.match(
      await page.locator('#word-detail').textContent(),
      new RegExp(`^“${said}”: \\d+\\.\\d+ to \\d+\\.\\d+ s, confidence \\d+ %$`),
    );
    t.equal(await page.locator('.word[tabindex="0"]').count(), 1, 'one stop of the Tab key');
    const timeline = page.getByRole('slider', { name: 'Vectors of the utterance' });
    await timeline.focus();
    await page.keyboard.press('Home');
    const codes = encoder.quantize(samples, sampleRate);
    t.match(
      await timeline.getAttribute('aria-valuetext'),
      new RegExp(
        `^0\\.00 to 0\\.32 s: codewords ${codes.get(0, 0)}, ${codes.get(0, 1)} of 256 each, packet 1 of ${wanted[1]!.length} bytes`,
      ),
      'the codes that were sent',
    );
    await page.keyboard.press('End');
    t.match(await timeline.getAttribute('aria-valuetext'), `codewords ${codes.get(codes.shape[0]! - 1, 0)},`);
    t.ok(
      await page.evaluate(() => {
        const canvas = document.getElementById('timeline-canvas') as HTMLCanvasElement;
        const { data } = canvas.getContext('2d')!.getImageData(0, 95, canvas.width, 30);
        const colours = new Set<number>();
        for (let i = 0; i < data.length; i += 4)
          colours.add(data[i]! * 65_536 + data[i + 1]! * 256 + data[i + 2]!);
        return colours.size > 5;
      }),
      'codes are drawn in colours',
    );

    // The microphone: pressed once, and once more
    await talk.focus();
    await page.keyboard.press('Space');
    await statusOf(page).filter({ hasText: 'Listening' }).waitFor();
    t.equal(await talk.getAttribute('aria-pressed'), 'true');
    await page.locator('.word').nth(2).waitFor();

    // Changed while somebody talks: for the next utterance
    const slider = page.getByRole('slider', { name: /Codebooks/ });
    t.equal(await slider.getAttribute('max'), String(model.config.quantizer.codebooks));
    await slider.fill('1');
    await page.locator('#settings-note').filter({ hasText: 'next utterance' }).waitFor();
    await page.getByLabel('Vectors in a packet').selectOption('4');
    await talk.focus();
    await page.keyboard.press('Space');
    await done(page);
    t.equal(await talk.getAttribute('aria-pressed'), 'false');
    const heard = server.streams[1]!;
    t.match(parseOpening(heard.messages[0]!), { codebooks: 2, vectorsPerPacket: 2 }, 'not for this one');
    t.same(await wordsOf(page), wordsIn(heard.messages), 'the words of the microphone');
    const expected = spoken.transcript.split(' ');
    t.ok(
      (await wordsOf(page)).filter((word) => expected.includes(word)).length >= 2,
      `${(await wordsOf(page)).join(' ')}: some of ${spoken.transcript}`,
    );
    const last = heard.messages.length - 2;
    const lastPacket = parseLivePacket(heard.messages[0]!, heard.messages[last + 1]!, last);
    t.type(lastPacket.lastSamples, 'number', 'the last packet says that it is the last');

    // Held: from the space bar on the page itself, until it is let go
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.down('Space');
    await statusOf(page).filter({ hasText: 'Listening' }).waitFor();
    await page.waitForFunction(() => document.querySelector('#row-acom .bits')?.textContent !== '0 bit');
    await page
      .locator('#rate-note')
      .filter({ hasText: /^\d+ bytes in [2-9] messages/ })
      .waitFor();
    await page.keyboard.up('Space');
    await done(page);
    const held = parseOpening(server.streams[2]!.messages[0]!);
    t.match(held, { codebooks: 1, vectorsPerPacket: 4 }, 'the settings of before');

    // A click of a screen reader has no press before it
    await talk.evaluate((button) => (button as HTMLButtonElement).click());
    await statusOf(page).filter({ hasText: 'Listening' }).waitFor();
    await talk.evaluate((button) => (button as HTMLButtonElement).click());
    await done(page);
    t.equal(server.streams.length, 4);

    // More messages than may go at once
    const { samples: once, sampleRate: rate } = spoken;
    const long = new Float32Array(52 * rate);
    for (let at = 0; at < long.length; at += once.length) {
      long.set(once.subarray(0, Math.min(once.length, long.length - at)), at);
    }
    const longFile = writeWav(long, { sampleRate: rate });
    await slider.fill('2');
    await page.getByLabel('Vectors in a packet').selectOption('1');
    await drop(page, longFile, 'long.wav');
    await done(page);
    const longWanted = messagesOf(longFile, { packetVectors: 1 });
    t.ok(longWanted.length > 160, `${longWanted.length} messages`);
    t.same(plain(server.streams[4]!.messages), plain(longWanted), 'every one of them, in order');
    t.same(await wordsOf(page), wordsIn(longWanted));

    // A file that is no sound
    await page.locator('#file').setInputFiles({
      name: 'notes.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('no sound'),
    });
    await page.getByRole('alert').filter({ hasText: 'notes.txt is no sound' }).waitFor();
    await page.getByRole('button', { name: 'Close this message' }).click();
    t.equal(await page.evaluate(() => document.activeElement?.id), 'talk', 'focus is not lost');

    // No microphone, with what to do
    for (const [name, hint] of [
      ['NotAllowedError', /may not use the microphone/],
      ['NotFoundError', /Plug one in/],
    ] as const) {
      await page.evaluate((reason) => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', reason));
      }, name);
      await talk.click();
      await page.getByRole('alert').filter({ hasText: hint }).waitFor();
      t.equal(await talk.getAttribute('aria-pressed'), 'false', name);
    }

    // Narrow, light and dark
    await page.setViewportSize({ width: 360, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      t.equal(content, window, `${colorScheme}: nothing is wider than a narrow screen`);
    }
    await page.emulateMedia({ reducedMotion: 'reduce' });
    t.equal(await talk.evaluate((each) => getComputedStyle(each).transitionDuration), '0s', 'nothing moves');
    t.same(problems, [], 'nothing from elsewhere, and nothing that the policy of the page forbids');
  });
});
