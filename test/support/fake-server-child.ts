/** A process with a server that has the fake engine: prints its address, and ends as `acom serve` does. */
import { untilAskedToEnd } from '../../src/transport/server/index.js';
import { type FakeServerOptions, startFake } from './server.js';

const server = await startFake(JSON.parse(process.argv[2] ?? '{}') as FakeServerOptions);
const asked = untilAskedToEnd();
process.stdout.write(`a server at ${server.address}\n`);
await asked;
await server.close();
