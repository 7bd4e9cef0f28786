/** The page without a server, with one that goes away, and with one that wants a token. */
import '../support/relaxed.js';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import t from 'tap';
import { LIVE_MODEL } from '../../src/build/page.js';
import { loadCodecModel } from '../../src/codec/index.js';
import { noChromium, withBrowser } from '../support/chromium.js';
import { readSamples } from '../support/commands.js';
import { PageServer, type PageServerOptions } from '../support/page-server.js';
import { repository } from '../support/shared.js';
import { builtPage, done, openPage, ready, statusOf, withMicrophone, wordsOf } from '../support/web-page.js';

process.chdir(repository);
const start = (options: Partial<PageServerOptions> = {}) =>
  PageServer.start({ folder: built!.folder, modelFile: LIVE_MODEL, ...options });

/** What the page's sample is, in words of Node's own halves. */
async function wordsOfSample(): Promise<string[]> {
  const model = await loadCodecModel(LIVE_MODEL);
  const live = (await model.deviceEncoder()).live(sample.sampleRate);
  const packets = [...live.push(sample.samples), ...live.finish()];
  const stream = (await model.cloudDecoder()).live().open(live.opening);
  return packets.flatMap((packet) => stream.receive(packet).words.map(({ word }) => word));
}

const [sample] = readSamples().filter(({ path }) => path === 'digits.wav') as [
  ReturnType<typeof readSamples>[0],
];
const expected = noChromium ? [] : await wordsOfSample();
const built = noChromium ? null : await builtPage();
if (built) t.teardown(built.remove);

const SAMPLE = { name: 'Use a sample' };
const NOT_FOUND = /404/;

t.test('on a host of files, and then without a network', { skip: noChromium, timeout: 60_000 }, async (t) => {
  const server = await start({ filesOnly: true });
  await withBrowser(async (browser) => {
    const { page, problems } = await openPage(browser, server.url);
    await ready(page);
    await page.locator('#connection').filter({ hasText: 'No server here' }).waitFor();
    t.equal(await page.getByLabel('the server').isDisabled(), true);

    // Codes and bits all the same
    await page.getByRole('button', SAMPLE).click();
    await done(page);
    t.same(await wordsOf(page), []);
    t.match(await page.locator('#words-hint').textContent(), /Nobody answers/);
    const bits = await page.locator('#row-acom .bits').textContent();
    t.match(bits, /^\d+ bit$/);

    await page.getByLabel('this page').check();
    await page.getByRole('button', SAMPLE).click();
    await page
      .locator('.word')
      .nth(expected.length - 1)
      .waitFor();
    await done(page);
    t.ok(expected.length >= 3, expected.join(' '));
    t.same(await wordsOf(page), expected, 'the cloud half of this page');
    t.equal(await page.locator('#row-acom .bits').textContent(), bits, 'bits are those that would be sent');
    t.equal(server.streams.length, 0);

    // All of it again without a network
    await page.locator('#offline-note').filter({ hasText: 'works without a network' }).waitFor();
    await server.stop();
    await page.reload();
    await page.locator('#connection').filter({ hasText: 'does not answer' }).waitFor();
    await ready(page);
    await page.getByLabel('this page').check();
    await page.getByRole('button', SAMPLE).click();
    await page
      .locator('.word')
      .nth(expected.length - 1)
      .waitFor();
    t.same(await wordsOf(page), expected, 'page, model and sample were kept');
    t.same(
      problems.filter((problem) => !NOT_FOUND.test(problem) && !/ERR_(CONNECTION|FAILED)/.test(problem)),
      [],
    );
  });
});

t.test('a server that wants a token', { skip: noChromium, timeout: 60_000 }, async (t) => {
  const token = 'right~token/of+32=characters';
  // The model is not beside the page, so that the server's device half is asked for, with the token too.
  const folder = mkdtempSync(join(tmpdir(), 'acom-page-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(built!.folder, folder, { recursive: true });
  rmSync(join(folder, 'model.safetensors'));
  const server = await start({ token, folder });
  t.teardown(() => server.stop());
  await withBrowser(async (browser: Browser) => {
    const { page } = await openPage(browser, server.url);
    const field = page.getByLabel('Token of this server');
    await field.waitFor();
    await page.locator('#connection').filter({ hasText: 'wants a token' }).waitFor();
    await field.fill('two words');
    await page.keyboard.press('Enter');
    await page.locator('#token-hint').filter({ hasText: 'no spaces' }).waitFor();
    await field.fill('wrong-token');
    await page.keyboard.press('Enter');
    await page.locator('#token-hint').filter({ hasText: 'does not know this token' }).waitFor();
    t.equal(
      await field.evaluate((input) => input === document.activeElement),
      true,
      'ready to be typed again',
    );
    await field.fill(token);
    await page.keyboard.press('Enter');
    await ready(page);
    t.equal(await field.isVisible(), false);
    t.ok(
      server.requests.includes('200 /v1/model/device.safetensors'),
      'the device half of the server’s model',
    );
    t.equal(await page.getByLabel('this page').isDisabled(), true, 'which can’t answer');
    await page.getByRole('button', SAMPLE).click();
    await page
      .locator('.word')
      .nth(expected.length - 1)
      .waitFor();
    t.same(await wordsOf(page), expected);
    t.equal(server.streams[0]!.protocols, `acom, bearer.${Buffer.from(token).toString('base64url')}`);

    t.equal(await page.evaluate(() => sessionStorage.length), 1);
    t.equal(await page.evaluate(() => localStorage.length), 0, 'kept for this tab only');
    await page.reload();
    await ready(page);
    t.equal(await field.isVisible(), false, 'a reload asks for no token');
  });
});

t.test('a server that goes away while somebody talks', { skip: noChromium, timeout: 60_000 }, async (t) => {
  const server = await start();
  await withMicrophone(sample.samples, sample.sampleRate, async (browser) => {
    const { page } = await openPage(browser, server.url);
    await ready(page);
    const talk = page.getByRole('button', { name: 'Talk' });
    await talk.click();
    await page.locator('.word').first().waitFor();
    const { port } = server;
    await server.stop();
    const alert = page.getByRole('alert').filter({ hasText: 'The server is gone' });
    await alert.waitFor();
    const count = () => page.locator('#rate-note').textContent();
    const before = await count();
    await page.waitForFunction((old) => document.getElementById('rate-note')?.textContent !== old, before);
    t.equal(await talk.getAttribute('aria-pressed'), 'true', 'codes go on');
    await talk.click();
    await done(page);

    await page.getByRole('button', { name: 'Answer in this page' }).click();
    await page.getByRole('button', SAMPLE).click();
    await page
      .locator('.word')
      .nth(expected.length - 1)
      .waitFor();
    await done(page);
    t.same(await wordsOf(page), expected, 'this page answers instead');

    const again = await start({ port });
    t.teardown(() => again.stop());
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('#connection[data-state=good]').waitFor();
    await page.getByLabel('the server').check();
    await page.getByRole('button', SAMPLE).click();
    await page
      .locator('.word')
      .nth(expected.length - 1)
      .waitFor();
    await done(page);
    t.equal(again.streams.length, 1, 'back on the server');

    // A word that is being said
    again.isSilent = true;
    await talk.click();
    await statusOf(page).filter({ hasText: 'Listening' }).waitFor();
    await page
      .locator('#rate-note')
      .filter({ hasText: /in [3-9] messages/ })
      .waitFor();
    const { socket } = again.streams[1]!;
    const update = { type: 'update', words: [], packets: 1, lost: 0, seconds: 1 };
    socket.send(JSON.stringify({ ...update, partial: 'se' }));
    const partial = page.locator('#partial');
    await partial.filter({ hasText: /^se$/ }).waitFor();
    t.not(
      await partial.evaluate((each) => getComputedStyle(each).color),
      await page.evaluate(() => getComputedStyle(document.body).color),
      'in another colour than final ones',
    );
    t.equal(await page.locator('#spoken').textContent(), '', 'and not read aloud before it is final');
    const word = { word: 'seven', start: 0.3, end: 0.5, confidence: 0.5 };
    socket.send(JSON.stringify({ ...update, words: [word], partial: null }));
    await page.locator('.word.doubtful').filter({ hasText: 'seven' }).waitFor();
    t.equal(await partial.textContent(), '');
    t.match(await page.locator('#spoken').textContent(), 'seven');

    // The server breaks off a stream of its own accord
    socket.send(JSON.stringify({ type: 'error', code: 'ACOM_RATE', message: 'more than allowed' }));
    await page.getByRole('alert').filter({ hasText: 'more than allowed' }).waitFor();
    await talk.click();
    await done(page);
  });
});
