/** acom serve: the cloud half as a server. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { loadCodecModel } from '../codec/index.js';
import type { LogLevel, TokenList } from '../transport/server/index.js';
import { localPaths } from './files.js';
import { fromPackage, modelPath, packaged } from './model.js';
import { EXIT, type ExitCode, given, naming, print } from './run.js';
import { pairs } from './text.js';

export interface ServeArguments {
  readonly model?: string;
  readonly host?: string;
  readonly port?: number;
  readonly workers?: number;
  readonly tokenFile?: string;
  readonly limit?: Readonly<Record<string, number>>;
  readonly limits?: boolean;
  readonly logLevel?: LogLevel;
  readonly trustProxy?: boolean;
  readonly publicPage?: boolean;
}

/** Models that ship beside the live one. */
const ALSO_SHIPPED = ['commands', 'keywords', 'esc10'];

const absolute = (path: string): string => (localPaths(path).length > 0 ? resolve(path) : path);

type Transport = typeof import('../transport/server/index.js');

/** The tokens of a file, else those of the environment; null where there are neither. */
async function tokensOf(file: string | undefined, { TokenList }: Transport): Promise<TokenList | null> {
  if (file !== undefined) {
    return TokenList.parse(await naming(file, () => readFile(file, 'utf8')), file);
  }
  // One that is set to nothing is a mistake, and must not open the server.
  const text = process.env['ACOM_TOKENS'];
  return text === undefined ? null : TokenList.parse(text, 'ACOM_TOKENS');
}

export async function serve(options: ServeArguments): Promise<ExitCode> {
  const transport = await fromPackage<Transport>('transport/server/index.js');
  if (options.limits) {
    print(
      ...pairs(
        transport.describeLimits().map(([name, standard, what]) => [`${name}=${standard}`, what] as const),
      ),
    );
    return EXIT.done;
  }
  const { host, port, workers, logLevel, trustProxy, publicPage, limit } = options;
  const model = absolute(modelPath(options.model, 'commands-live'));
  // Without a choice, files of all models that ship are decoded.
  const isChosen = options.model !== undefined || process.env['ACOM_MODEL'] !== undefined;
  const others = isChosen ? [] : ALSO_SHIPPED.map((name) => absolute(modelPath(undefined, name)));
  const tokens = await tokensOf(options.tokenFile, transport);
  const limits = transport.checkLimits(limit);
  const server = await transport.startServer({
    engine: { module: transport.MODEL_ENGINE, options: { model, others } },
    tokens,
    limits,
    pageFolder: packaged('dist', 'page'),
    deviceHalf: async () => {
      const codec = await loadCodecModel(model);
      return codec.part === 'whole' ? (await codec.split()).device : null;
    },
    ...given({ host, port, workers, logLevel, trustProxy, publicPage }),
  });
  const { name, fingerprint } = server.model;
  const asked = transport.untilAskedToEnd();
  print(`acom serves ${name} (${fingerprint}) at ${server.address}`);
  await asked;
  await server.close();
  return EXIT.done;
}
