/** Metrics for Prometheus, through the package prom-client: an optional peer that only this file imports. */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { MissingPackageError } from '../../tensor/index.js';
import { SERVER_PACKAGES } from './packages.js';

async function loadClient() {
  try {
    return await import('prom-client');
  } catch (cause) {
    throw new MissingPackageError(SERVER_PACKAGES, 'acom serve', cause);
  }
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is asked for when metrics are. */
export interface Gauges {
  readonly streams: () => number;
  readonly waitingFiles: () => number;
  readonly waitingPackets: () => number;
  readonly workersUp: () => number;
}

export class Metrics {
  private constructor(
    private readonly registry: Registry,
    /** By route, method and status. */
    readonly requests: Counter<'route' | 'method' | 'status'>,
    /** Streams that were opened. */
    readonly streams: Counter,
    /** Messages of live streams that were decoded. */
    readonly packets: Counter,
    /** By kind: a file, or a batch of live streams. */
    readonly decodeSeconds: Histogram<'kind'>,
    readonly batchStreams: Histogram,
    readonly errors: Counter<'code'>,
    readonly restarts: Counter<'reason'>,
  ) {}

  static async create(gauges: Gauges): Promise<Metrics> {
    const { Registry, Counter, Gauge, Histogram, collectDefaultMetrics } = await loadClient();
    const registry = new Registry();
    const registers = [registry];
    collectDefaultMetrics({ register: registry });
    const gauge = (name: string, help: string, labels: readonly (readonly [string, () => number])[]): Gauge =>
      new Gauge({
        name,
        help,
        labelNames: labels[0]![0] === '' ? [] : ['kind'],
        registers,
        collect() {
          for (const [kind, value] of labels) {
            if (kind === '') this.set(value());
            else this.set({ kind }, value());
          }
        },
      });
    gauge('acom_streams_open', 'Live streams that are open', [['', gauges.streams]]);
    gauge('acom_workers_up', 'Worker threads that have their model', [['', gauges.workersUp]]);
    gauge('acom_queue_depth', 'Files, and packets of live streams, that wait for a worker', [
      ['file', gauges.waitingFiles],
      ['live', gauges.waitingPackets],
    ]);
    return new Metrics(
      registry,
      new Counter({
        name: 'acom_requests_total',
        help: 'HTTP requests that were answered',
        labelNames: ['route', 'method', 'status'],
        registers,
      }),
      new Counter({ name: 'acom_streams_total', help: 'Live streams that were opened', registers }),
      new Counter({ name: 'acom_packets_total', help: 'Messages of live streams decoded', registers }),
      new Histogram({
        name: 'acom_decode_seconds',
        help: 'Time that a worker took for a file, or for a batch of live streams',
        labelNames: ['kind'],
        buckets: SECONDS,
        registers,
      }),
      new Histogram({
        name: 'acom_batch_streams',
        help: 'Live streams in a batch',
        buckets: [1, 2, 4, 8, 16, 32, 64, 128],
        registers,
      }),
      new Counter({
        name: 'acom_errors_total',
        help: 'Requests and streams that ended in an error',
        labelNames: ['code'],
        registers,
      }),
      new Counter({
        name: 'acom_worker_restarts_total',
        help: 'Worker threads that were replaced',
        labelNames: ['reason'],
        registers,
      }),
    );
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
