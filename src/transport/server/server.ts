/** A server from its settings to its end. */
import { availableParallelism } from 'node:os';
import { SourceError } from '../../tensor/index.js';
import { createApp } from './app.js';
import type { ModelFacts } from './engine.js';
import { Metrics } from './metrics.js';
import type { FastifyInstance } from './packages.js';
import { WorkerPool } from './pool.js';
import { InFlight } from './routes.js';
import { Sessions } from './sessions.js';
import { checkSettings, type ServerOptions, type ServerSettings } from './settings.js';

/** Worker threads where nothing is said: a core is left for the sockets. */
export const defaultWorkers = (): number => Math.max(1, availableParallelism() - 1);

/** Where a log line may go before Fastify is there. */
interface Log {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export class Server {
  private draining = false;
  private ending: Promise<void> | null = null;

  private constructor(
    private readonly settings: ServerSettings,
    /** For tests that ask without a socket. */
    readonly app: FastifyInstance,
    private readonly pool: WorkerPool,
    private readonly sessions: Sessions,
    private readonly posts: InFlight,
    readonly address: string,
  ) {}

  get model(): ModelFacts {
    return this.pool.model;
  }

  /** See `startServer`. */
  static async start(options: ServerOptions): Promise<Server> {
    const settings = checkSettings(options, defaultWorkers());
    let server: Server | null = null;
    let log: Log | null = null;
    let sessions: Sessions | null = null;
    let pool: WorkerPool | null = null;
    const metrics = await Metrics.create({
      streams: () => sessions?.size ?? 0,
      waitingFiles: () => pool?.waitingFiles ?? 0,
      waitingPackets: () => pool?.waitingPackets ?? 0,
      workersUp: () => pool?.workersUp ?? 0,
    });
    const { engine, workers, limits, host, port } = settings;
    pool = await WorkerPool.start({ url: engine.module.href, options: engine.options }, workers, limits, {
      decoded(kind, seconds, streams) {
        metrics.decodeSeconds.observe({ kind }, seconds);
        if (kind === 'file') return;
        metrics.packets.inc(streams);
        metrics.batchStreams.observe(streams);
      },
      restarted: (reason) => metrics.restarts.inc({ reason }),
      warn: (facts, message) => log?.warn(facts, message),
      error: (facts, message) => log?.error(facts, message),
    });
    sessions = new Sessions(limits, pool, metrics, (error) => {
      metrics.errors.inc({ code: error.code });
      log?.info(error, 'a stream was broken off');
    });
    let app: FastifyInstance | null = null;
    try {
      const isDraining = () => server?.draining ?? false;
      const posts = new InFlight();
      app = await createApp({ settings, pool, sessions, metrics, isDraining, posts });
      log = app.log;
      const address = await listen(app, host, port);
      server = new Server(settings, app, pool, sessions, posts, address);
      return server;
    } catch (error) {
      await app?.close();
      await sessions.shutDown(0);
      await pool.close();
      throw error;
    }
  }

  /**
   * Ends the server: no new work is taken and /ready says so, streams get what is final, files are decoded to their end; what
   * is not done after `shutdownSeconds` is cut off.
   */
  close(): Promise<void> {
    this.ending ??= this.end();
    return this.ending;
  }

  private async end(): Promise<void> {
    const { shutdownSeconds } = this.settings.limits;
    this.draining = true;
    this.app.log.info({ streams: this.sessions.size }, 'the server ends');
    const deadline = performance.now() + 1000 * shutdownSeconds;
    const postsAnswered = async (): Promise<void> => {
      while (this.posts.count > 0 && performance.now() < deadline) {
        await new Promise((done) => setTimeout(done, 20));
      }
    };
    await Promise.all([this.sessions.shutDown(shutdownSeconds), postsAnswered()]);
    // What is not done by now is refused, so that no request stays open.
    await this.pool.close();
    const late = setTimeout(
      () => this.app.server.closeAllConnections(),
      Math.max(500, deadline - performance.now()),
    );
    await this.app.close();
    clearTimeout(late);
  }
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'something else listens there: use another --port' : message;
    throw new SourceError(`serve: ${host}, port ${port}: ${why}`, error);
  }
}

/**
 * Starts a server: worker threads load the model, then it listens. Throws UsageError for settings that make no sense, above
 * all for a server that other machines could reach without a token; MissingPackageError; SourceError where it can't listen;
 * and what the engine throws where there is no model.
 */
export const startServer = (options: ServerOptions): Promise<Server> => Server.start(options);
