/** The kernel explorer in Chromium, under a path of a server, without a network. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t from 'tap';
import { outputsOf } from '../../kernels/check/index.js';
import { type AnyKernelSpec, kernelSpecs } from '../../kernels/index.js';
import type { Operand } from '../../kernels/spec.js';
import { buildExplorer, EXPLORER } from '../../src/build/explorer.js';
import { type Absent, type Timing, timings } from '../../src/explorer/benchmark.js';
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
  const residual = await reads('nearest-codeword', 'residual', 0);
  t.ok(
    residual.includes('vectors:0') && residual.some((each) => each.startsWith('codebooks:')),
    residual.join(),
  );
});

t.test('an output that is NaN already has not read everything', async (t) => {
  await specOf('batch-norm').visit(async (spec) => {
    const sizes = exampleSizes(spec);
    const operands = exampleOperands(spec, sizes);
    (operands as unknown as Record<string, Operand>)['variance']!.data.fill(-5);
    const found = await readsOf(spec, spec.variants[0]!.load(), sizes, operands, 'y', 0);
    t.same(found, [{ operand: 'variance', index: 0 }], 'a variance that is positive makes it a number');
  });
});

t.test('a benchmark does not time what is wrong', async (t) => {
  await specOf('nearest-codeword').visit(async (spec) => {
    const [reference] = spec.variants.filter(({ name }) => name === 'reference');
    const broken = (output: string): typeof spec => {
      const { gpu: _, ...rest } = spec;
      const wrong = { ...reference!, name: 'simd' as const };
      let binds = 0;
      return {
        ...rest,
        variants: [reference!, wrong],
        bind(kernel, sizes, operands) {
          const call = spec.bind(kernel, sizes, operands);
          if (binds++ === 0) return call;
          const { data } = (operands as unknown as Record<string, Operand>)[output]!;
          return () => {
            void call();
            data[0] = data[0]! + 1;
          };
        },
      };
    };
    for (const output of ['indices', 'residual']) {
      const rows: (Timing | Absent)[] = [];
      const { signal } = new AbortController();
      for await (const row of timings(broken(output), exampleSizes(spec), signal)) rows.push(row);
      t.match(rows[0], { name: 'reference', seconds: Number }, output);
      t.match(rows[1], { name: 'simd', reason: new RegExp(`not timed: .*${output}.* differ`) }, output);
    }
  });
});

t.test('a benchmark of slow calls hears that it is stopped', async (t) => {
  await specOf('relu').visit(async (spec) => {
    const { gpu: _, ...rest } = spec;
    const slow: typeof spec = {
      ...rest,
      bind: (kernel, sizes, operands) => {
        const call = spec.bind(kernel, sizes, operands);
        return () => {
          for (const start = performance.now(); performance.now() - start < 150; );
          return call();
        };
      },
    };
    const controller = new AbortController();
    const rows: (Timing | Absent)[] = [];
    const running = (async () => {
      for await (const row of timings(slow, exampleSizes(spec), controller.signal)) rows.push(row);
    })();
    // As a click on Stop is: a task of its own, while the first variant is timed
    setTimeout(() => controller.abort(), 200);
    await t.rejects(running, { name: 'AbortError' });
    t.same(rows, [], 'within the first variant');
  });
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

    // Links that are no operation
    await page.locator('.skip').focus();
    await page.keyboard.press('Enter');
    t.match(await page.locator('h2').textContent(), 'matmul');
    t.match(page.url(), /#matmul$/, 'the skip link leaves the address');
    t.equal(await page.evaluate(() => document.activeElement?.id), 'operation');
    for (const hash of ['no-such', '%']) {
      await page.goto(`http://localhost/a/sub-path/#${hash}`);
      await page.getByRole('alert').filter({ hasText: hash }).waitFor();
    }

    const run = page.getByRole('button', { name: 'Run the benchmark' });
    const status = page.locator('section[aria-labelledby=benchmark] [role=status]');
    await open('softmax');
    await run.focus();
    const left = await status.elementHandle();
    await page.keyboard.press('Enter');
    t.equal(await page.evaluate(() => document.activeElement?.textContent), 'Stop', 'focus is not lost');
    await status.filter({ hasText: /is done/ }).waitFor();
    await page.evaluate(() => {
      location.hash = 'relu';
    });
    await page.locator('h2').filter({ hasText: 'relu' }).waitFor();
    await run.click();
    await status.filter({ hasText: /Done/ }).waitFor();
    t.equal(await left?.textContent(), 'Stopped.', 'the benchmark of an operation that was left');
    const rows = await page.locator('.times tbody tr').allTextContents();
    for (const name of ['reference', 'simd', 'gpu: webgl2', 'gpu: webasm', 'gpu: cpu']) {
      t.ok(
        rows.some((row) => row.startsWith(name) && /\d (µs|ms|s)/.test(row)),
        `${name} is timed`,
      );
    }

    const barWidths = () =>
      page.locator('.times tbody tr').evaluateAll((rows) =>
        rows.map((row) => {
          const under = Number.parseFloat(getComputedStyle(row).backgroundSize) || 0;
          return (row.querySelector('.bar')?.getBoundingClientRect().width ?? 0) || under;
        }),
      );
    const wide = await barWidths();
    await page.setViewportSize({ width: 360, height: 800 });
    const narrow = await barWidths();
    t.ok(wide.length >= 4 && [...wide, ...narrow].every((width) => width > 0), 'bars, wide and narrow');
    t.ok(
      await page.evaluate(() => {
        const { scrollWidth = 0, clientWidth = 0 } = document.querySelector('.times')?.parentElement ?? {};
        return clientWidth > 0 && scrollWidth <= clientWidth;
      }),
      'and the whole table is seen on a narrow screen',
    );

    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 360, height: 800 });
      // Widths do not depend on colours: all operations once, some again
      for (const { name } of colorScheme === 'light' ? kernelSpecs : kernelSpecs.slice(0, 2)) {
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

    // Last, because the browser reports it
    await page.route(/gpu-/, (route) => route.abort());
    await page.reload();
    await open('relu');
    await run.click();
    await status.filter({ hasText: /^Failed after 3 variants: .*import/ }).waitFor();
  });
});
