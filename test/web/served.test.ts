/** The page and `acom serve` as they are, together. */
import t from 'tap';
import { LIVE_MODEL } from '../../src/build/page.js';
import { loadCodecModel } from '../../src/codec/index.js';
import { MODEL_ENGINE, startServer, TokenList } from '../../src/transport/server/index.js';
import { noChromium } from '../support/chromium.js';
import { readSamples } from '../support/commands.js';
import { repository } from '../support/shared.js';
import { builtPage, done, openPage, ready, statusOf, withMicrophone, wordsOf } from '../support/web-page.js';

process.chdir(repository);
const TOKEN = '0123456789abcdef0123456789abcdef';

t.test(
  'from a token to words, and to the end of the server',
  { skip: noChromium, timeout: 90_000 },
  async (t) => {
    const { folder, remove } = await builtPage();
    t.teardown(remove);
    const server = await startServer({
      engine: { module: MODEL_ENGINE, options: { model: LIVE_MODEL } },
      port: 0,
      workers: 1,
      tokens: TokenList.parse(`page:${TOKEN}`, 'test'),
      logLevel: 'silent',
      pageFolder: folder,
      publicPage: true,
    });
    t.teardown(() => server.close());
    const [digits] = readSamples().filter(({ path }) => path === 'digits.wav');
    const { samples, sampleRate } = digits!;
    const model = await loadCodecModel(LIVE_MODEL);
    const { words } = (await model.cloudDecoder()).decode(
      (await model.deviceEncoder()).encode(samples, sampleRate),
    );
    await withMicrophone(samples, sampleRate, async (browser) => {
      const { page, problems } = await openPage(browser, server.address);
      await page.getByLabel('Token of this server').fill(TOKEN);
      await page.keyboard.press('Enter');
      await ready(page);
      await page.locator('#connection').filter({ hasText: 'Server ready: commands-live' }).waitFor();
      await page.getByRole('button', { name: 'Use a sample' }).click();
      await done(page);
      t.same(
        await wordsOf(page),
        words.map(({ word }) => word),
      );

      const talk = page.getByRole('button', { name: 'Talk' });
      await talk.click();
      await statusOf(page).filter({ hasText: 'Listening' }).waitFor();
      await page.locator('.word').first().waitFor();
      t.same(
        problems.filter((problem) => !/401/.test(problem)),
        [],
      );
      await server.close();
      await page
        .getByRole('alert')
        .filter({ hasText: /The server is (gone|being shut down)/ })
        .waitFor();
      await talk.click();
      await done(page);
    });
  },
);
