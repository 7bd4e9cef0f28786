export type { CreateEngine, Engine, FileOptions, ModelFacts } from './engine.js';
export { ERROR_CODES, RefusalError } from './errors.js';
export type { LiveDecoder, LiveDecoding, LiveUpdate } from './live.js';
export { defaultWorkers, type Server, startServer } from './server.js';
export {
  checkLimits,
  describeLimits,
  type EngineSource,
  type LimitName,
  type Limits,
  LOG_LEVELS,
  type LogLevel,
  type ServerOptions,
} from './settings.js';
export { untilAskedToEnd } from './signals.js';
export { TokenList } from './tokens.js';

/** The module of the engine that decodes with a codec model; its options are { model: path or URL }. */
export const MODEL_ENGINE = new URL('./model-engine.js', import.meta.url);
