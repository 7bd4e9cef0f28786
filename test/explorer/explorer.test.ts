/** The kernel explorer in Chromium, under a path of a server, without a network. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t from 'tap';
import { outputsOf } from '../../kernels/check/index.js';
import { type AnyKernelSpec, kernelSpecs } from '../../kernels/index.js';
import type { Operand } from '../../kernels/spec.js';
import { buildExplorer, EXPLORER } from '../../src/build/explorer.js';
import { exampleOperands, exampleSizes, readsOf } from '../../src/explorer/reads.js';
import { noChromium, withBrowser } from '../support/chromium.js';
import { repository } from '../support/shared.js';

const specOf = (name: string): AnyKernelSpec => kernelSpecs.find((spec) => spec.name === name)!;

/** Input elements that output element `index` reads, as "operand:index". */
const reads = (name: string, output: string, index: number): Promise<string[]> =>
  specOf(name).visit(async (spec) => {
    const sizes = exampleSizes(spec);
    const operands = exampleOperands(spec, sizes);
    const found = await readsOf(spec, spec.variants[0]!.load(), sizes, operands, output, index);
    return found.map(({ operand, index: at }) => `${operand}:${at}`);
  });

t.test('what an output reads', async (t) => {
  // C[1,2] of [3,5] x [5,4]: a row, a column, a bias
  const matmul = ['a:5', 'a:6', 'a:7', 'a:8', 'a:9', 'b:2', 'b:6', 'b:10', 'b:14', 'b:18', 'bias:2'];
  t.same(await reads('matmul', 'c', 6), matmul);
  t.same(await reads('relu', 'y', 3), ['x:3']);
  const { columns } = specOf('softmax').visit((spec) => exampleSizes(spec)) as { columns: number };
  t.same(
    await reads('softmax', 'y', columns + 1),
    Array.from({ length: columns }, (_, c) => `x:${columns + c}`),
  );
  const index = await reads('nearest-codeword', 'indices', 0);
  t.ok(
    index.length > 0 && index.every((each) => /^(vectors:[0-3]|codebooks:([0-9]|1[0-5]))$/.test(each)),
    index.join(),
  );
});

/** The numbers that the example shows as its outputs, whole. */
const outputsShown = (page: Page): Promise<number[]> =>
  page
    .locator('.grid button')
    .evaluateAll((buttons) => buttons.map((button) => Number((button as HTMLElement).title)));

const expectedOutputs = (any: AnyKernelSpec): number[] =>
  any.visit((spec) => {
    const sizes = exampleSizes(spec);
    const operands = exampleOperands(spec, sizes);
    // What can be typed into the fields has six digits.
    for (const [name, of] of Object.entries(spec.operands(sizes))) {
      const { data } = (operands as unknown as Record<string, Operand>)[name]!;
      if (of.role === 'input')
        data.forEach((value, i) => {
          data[i] = Number.isFinite(value) ? Number(value.toPrecision(6)) : value;
        });
    }
    void spec.bind(spec.variants[0]!.load(), sizes, operands)();
    return outputsOf(spec, sizes, operands).flatMap(({ values }) => [...values]);
  });

t.test('in Chromium', { skip: noChromium, timeout: 120_000 }, async (t) => {
  process.chdir(repository);
  await buildExplorer();
  await withBrowser(async (browser) => {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    const types: Readonly<Record<string, string>> = {
      html: 'text/html',
      js: 'text/javascript',
      css: 'text/css',
      json: 'application/json',
    };
    await page.route('**/*', (route) => {
      const { hostname, pathname } = new URL(route.request().url());
      const path = /^\/a\/sub-path\/(.*)$/.exec(pathname)?.[1];
      if (hostname !== 'localhost' || path === undefined) {
        problems.push(`asked for ${route.request().url()}`);
        return route.abort();
      }
      const file = path === '' ? 'index.html' : path;
      const body = readFileSync(join(EXPLORER, file));
      return route.fulfill({ body, contentType: types[file.split('.').pop()!] ?? 'text/plain' });
    });
    const open = async (operation: string) => {
      await page.goto(`http://localhost/a/sub-path/#${operation}`);
      await page.locator('h2').filter({ hasText: operation }).waitFor();
      await page.locator('.source .shiki').first().waitFor();
    };

    for (const any of kernelSpecs) {
      await open(any.name);
      const shown = await outputsShown(page);
      t.strictSame(shown, expectedOutputs(any), `${any.name}: the outputs of the reference`);
      const titles = await page.locator('.sources h4').allTextContents();
      t.match(titles.join(), /reference\.ts/, any.name);
      const wanted = any.visit((spec) => spec.gpu !== undefined);
      t.equal(/gpu\.ts/.test(titles.join()), wanted, `${any.name}: gpu.ts`);
    }

    await open('matmul');
    const field = page.getByLabel('a, row 0, column 0');
    const before = await outputsShown(page);
    await field.fill('50');
    await t.resolves(
      page.waitForFunction(
        (old) => (document.querySelector('.grid button') as HTMLElement).title !== old,
        String(before[0]),
      ),
      'a change of an input changes an output',
    );
    t.same((await outputsShown(page)).slice(4), before.slice(4), 'and no other row');

    // By keyboard alone: to an output, and what it read
    await page.getByRole('button', { name: /^c, row 1, column 2/ }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.grid .read').first().waitFor();
    t.equal(await page.locator('.grid .read').count(), 11);
    t.match(await page.locator('section[aria-labelledby=example] [role=status]').textContent(), /read 11 of/);
    await page.keyboard.press('Tab');
    t.match(
      await page.evaluate(() => document.activeElement?.getAttribute('aria-label')),
      /^c, row 1, column 3/,
    );

    await open('relu');
    await page.getByRole('button', { name: 'Run the benchmark' }).click();
    await page
      .locator('section[aria-labelledby=benchmark] [role=status]')
      .filter({ hasText: /Done/ })
      .waitFor();
    const rows = await page.locator('.times tbody tr').allTextContents();
    for (const name of ['reference', 'simd', 'gpu: webgl2', 'gpu: webasm', 'gpu: cpu']) {
      t.ok(
        rows.some((row) => row.startsWith(name) && /\d (µs|ms|s)/.test(row)),
        `${name} is timed`,
      );
    }

    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 360, height: 800 });
      for (const { name } of kernelSpecs) {
        await open(name);
        const [content, window] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          innerWidth,
        ]);
        t.equal(content, window, `${name}, ${colorScheme}: nothing is wider than a narrow screen`);
      }
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      t.equal(paper, colorScheme === 'dark' ? 'rgb(15, 19, 23)' : 'rgb(255, 255, 255)');
    }
    t.same(problems, []);
  });
});
