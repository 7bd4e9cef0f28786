/** The built page in Chromium, with a recording for a microphone. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { buildPage } from '../../src/build/page.js';
import { writeWav } from '../../src/index.js';
import { withBrowser } from './chromium.js';

/** Runs `work` in a browser that hears `samples` over and over when it asks for a microphone. */
export async function withMicrophone(
  samples: Float32Array,
  sampleRate: number,
  work: (browser: Browser) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'acom-microphone-'));
  const file = join(folder, 'microphone.wav');
  await writeFile(file, writeWav(samples, { sampleRate }));
  try {
    await withBrowser(work, [
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${file}`,
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The page in a folder of its own, because several tests run at once; `remove` is for the end of a test. */
export async function builtPage(): Promise<{
  readonly folder: string;
  readonly remove: () => Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'acom-page-'));
  await buildPage(folder);
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

export interface OpenPage {
  readonly page: Page;
  /** What the browser said that nobody expects: errors, and requests to elsewhere. */
  readonly problems: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${message.text()} ${message.location().url}`);
  });
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) problems.push(`asked for ${request.url()}`);
  });
  await page.goto(url);
  return { page, problems };
}

export const statusOf = (page: Page) => page.locator('#talk-state');

/** Until the page has a model and may be talked to. */
export const ready = (page: Page) => statusOf(page).filter({ hasText: 'Ready.' }).waitFor();

/** Until an utterance is over and answered. */
export const done = (page: Page) => statusOf(page).filter({ hasText: 'Done' }).waitFor();

export const wordsOf = (page: Page) => page.locator('.word').allTextContents();

/** Drops a file on the page. */
export async function drop(page: Page, bytes: Uint8Array, name: string): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([content, fileName]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(content)], fileName));
      return data;
    },
    [[...bytes], name] as const,
  );
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}
