/**
 * npm run bench:fuzz-coverage -- [--cases n | --minutes n] [--seed n] [--no-compare] [--missing]: damaged streams through the reader
 * and the entropy decoders of the shipped models and of the golden streams. Inputs that reach something new are damaged further;
 * beside it, for as many cases, damage of the seeds alone, by the same hand and by the blind one of bench:fuzz. Ends with 1 where
 * an error was none of acom's own, or where something that must hold did not.
 */
import { register } from 'node:module';

// Before anything of what is counted is loaded.
register('./hook.js', import.meta.url);
const { fuzzStreams } = await import('./streams.js');
const { fuzzOptions } = await import('./options.js');
if (!(await fuzzStreams(fuzzOptions(process.argv.slice(2))))) process.exitCode = 1;
