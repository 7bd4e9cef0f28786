/** Pages in Debian's Chromium, with files from memory and no network. */
import { existsSync } from 'node:fs';
import { type BuildOptions, build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { repository } from './shared.js';

export const CHROMIUM = process.env['ACOM_CHROMIUM'] ?? '/usr/bin/chromium';

/** False, or why there is no browser: for tap's skip. */
export const noChromium: string | false = existsSync(CHROMIUM) ? false : `no ${CHROMIUM} (ACOM_CHROMIUM)`;

/** WebGPU only behind a switch, on SwiftShader where there is no GPU. */
export const SWITCHES = ['--enable-unsafe-webgpu', '--no-sandbox'];

/** One ES module for a page, with gpu.js inside. */
export async function bundleForPage(contents: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: repository },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    external: ['webgpu'],
    write: false,
    logLevel: 'silent',
    ...options,
  });
  return outputFiles![0]!.text;
}

/** Runs `work` with a browser of its own. */
export async function withBrowser<R>(
  work: (browser: Browser) => Promise<R>,
  switches: readonly string[] = [],
): Promise<R> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...SWITCHES, ...switches] });
  try {
    return await work(browser);
  } finally {
    await browser.close();
  }
}

/**
 * Runs `work` on a page whose script is `script`, and which finds `files` at its own address. Throws what the page reports as an
 * error.
 */
export async function onPage<R>(
  script: string,
  files: Readonly<Record<string, Uint8Array>>,
  work: (page: Page) => Promise<R>,
): Promise<R> {
  return withBrowser(async (browser) => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.route('**/*', async (route) => {
      const path = new URL(route.request().url()).pathname.slice(1);
      const found = files[path];
      if (path === '')
        await route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>test</title>' });
      else if (path === 'script.js') await route.fulfill({ contentType: 'text/javascript', body: script });
      else if (found) {
        // Modules are loaded only where they say that they are JavaScript.
        const contentType = path.endsWith('.js') ? 'text/javascript' : 'application/octet-stream';
        await route.fulfill({ contentType, body: Buffer.from(found) });
      } else await route.fulfill({ status: 404 });
    });
    // WebGPU wants a secure context, which localhost is.
    await page.goto('http://localhost/');
    const result = await work(page);
    if (errors.length > 0) throw new Error(errors.join('\n'));
    return result;
  });
}
