/** The benchmark of an operation: a workload to choose, and a table with bars that fills while it runs. */
import type { KernelSpec, OperandSpecs } from '../../kernels/spec.js';
import { type Absent, type Timing, timings } from './benchmark.js';
import { make } from './dom.js';

const time = (seconds: number): string =>
  seconds < 1e-3
    ? `${(1e6 * seconds).toPrecision(3)} µs`
    : seconds < 1
      ? `${(1e3 * seconds).toPrecision(3)} ms`
      : `${seconds.toPrecision(3)} s`;

/** The run before: one at a time, because there is one GPU and one memory of the kernels. */
let latest: Promise<void> = Promise.resolve();

/** `left` is aborted when the page goes on to another operation. */
export function benchmarkOf<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  left: AbortSignal,
): HTMLElement {
  const select = make(
    'select',
    {},
    ...spec.workloads.map(({ name }, i) => make('option', { value: i }, name)),
  );
  const start = make('button', { type: 'button', click: () => begin() }, 'Run the benchmark');
  const stop = make('button', { type: 'button', disabled: true, click: () => controller?.abort() }, 'Stop');
  const status = make('p', { role: 'status', class: 'faint' });
  const body = make('tbody');
  const heads = ['variant', 'time', 'GFLOP/s', 'on the device', 'faster is longer'];
  const table = make(
    'table',
    { class: 'times', hidden: true },
    make('caption', {}, 'Medians on this machine, one thread; the longer the bar, the faster'),
    make('thead', {}, make('tr', {}, ...heads.map((head) => make('th', { scope: 'col' }, head)))),
    body,
  );
  let controller: AbortController | null = null;
  left.addEventListener('abort', () => controller?.abort());

  function begin(): void {
    controller = new AbortController();
    const { signal } = controller;
    setRunning(true);
    status.textContent = 'Waiting for the benchmark before to stop …';
    latest = latest.then(() => run(signal)).finally(() => setRunning(false));
  }

  /** A button that is disabled loses the keyboard's focus: it goes to the one that is left. */
  function setRunning(running: boolean): void {
    const [from, to] = running ? [start, stop] : [stop, start];
    to.disabled = false;
    if (document.activeElement === from) to.focus();
    from.disabled = true;
  }

  async function run(signal: AbortSignal): Promise<void> {
    const workload = spec.workloads[Number(select.value)];
    if (!workload) return;
    table.hidden = false;
    status.textContent = 'Running: reference …';
    const rows: (Timing | Absent)[] = [];
    const { operations } = spec.cost(workload.sizes);
    body.replaceChildren();
    try {
      for await (const row of timings(spec, workload.sizes, signal)) {
        rows.push(row);
        draw(rows, operations);
        status.textContent = `Running: ${row.name} is done …`;
      }
      status.textContent = summary(rows);
    } catch (error) {
      status.textContent = signal.aborted
        ? 'Stopped.'
        : `Failed after ${rows.length} variants: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  function summary(rows: readonly (Timing | Absent)[]): string {
    const ran = rows.filter((row) => 'seconds' in row).length;
    const others = ran < rows.length ? '; the rows of the others say why not' : '';
    return `Done: ${ran} of ${rows.length} variants timed, each with the numbers of the reference${others}.`;
  }

  function draw(rows: readonly (Timing | Absent)[], operations: number): void {
    const best = Math.min(...rows.map((row) => ('seconds' in row ? row.seconds : Number.POSITIVE_INFINITY)));
    body.replaceChildren(
      ...rows.map((row) => {
        const head = make('th', { scope: 'row' }, row.name);
        if (!('seconds' in row))
          return make('tr', {}, head, make('td', { colspan: 4, class: 'faint' }, row.reason));
        return make(
          'tr',
          { style: `--share: ${(100 * best) / row.seconds}%` },
          head,
          make('td', { class: 'number' }, time(row.seconds)),
          make('td', { class: 'number' }, (operations / row.seconds / 1e9).toPrecision(3)),
          make('td', { class: 'number' }, row.onDevice === undefined ? '' : time(row.onDevice)),
          make('td', { class: 'track' }, make('div', { class: 'bar' })),
        );
      }),
    );
  }

  return make(
    'section',
    { 'aria-labelledby': 'benchmark' },
    make('h3', { id: 'benchmark' }, 'Benchmark in this browser'),
    make(
      'p',
      { class: 'faint' },
      'Each variant is checked against the reference before it is timed. Times of GPU modes are with upload and readback; beside them, what ' +
        'remains where activations stay on the device. Without a GPU, WebGL and WebGPU run in software.',
    ),
    make('div', { class: 'controls' }, make('label', {}, 'Workload', select), start, stop),
    status,
    make('div', { class: 'scroll' }, table),
  );
}
