/** Options about a broker that several commands have; no password is ever an argument, which every process may read. */
import { readFile } from 'node:fs/promises';
import { UsageError } from '../tensor/index.js';
import { type BrokerAddress, parseBrokerUrl } from '../transport/mqtt/index.js';
import type { Command } from './commander.js';
import { given } from './run.js';

export interface BrokerArguments {
  readonly broker?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly prefix?: string;
  readonly id?: string;
}

export const BROKER_HELP = `
A password comes from --password-file or from the environment: ACOM_BROKER_PASSWORD, or within ACOM_BROKER as in
mqtts://name:password@host. Names and passwords are never shown.`;

/** Adds the options to a command. */
export const addBrokerOptions = (command: Command): Command =>
  command
    .option('--broker <URL>', 'mqtt://, mqtts://, ws:// or wss:// (default: $ACOM_BROKER)')
    .option('--username <name>', 'name to log in with')
    .option('--password-file <file>', 'file whose first line is the password')
    .option('--ca <file>', "certificates that may have signed the broker's, in PEM (default: the system's)")
    .option('--prefix <levels>', 'first levels of every topic (default: acom)')
    .option('--id <name>', 'name of this client, which no other has at the same time');

/** Address and credentials; UsageError where there is no address, or a password stands on the command line. */
export async function brokerOf(
  options: BrokerArguments,
): Promise<{ address: BrokerAddress; ca?: Uint8Array }> {
  const url = options.broker ?? process.env['ACOM_BROKER'];
  if (url === undefined || url === '') {
    throw new UsageError('which broker? Use --broker mqtt://host, or set ACOM_BROKER');
  }
  const parsed = parseBrokerUrl(url);
  if (options.broker !== undefined && parsed.password !== undefined) {
    throw new UsageError(
      'there is a password in --broker, where every process of this machine can read it: use --password-file, or set ' +
        'ACOM_BROKER_PASSWORD',
    );
  }
  const password =
    options.passwordFile === undefined
      ? process.env['ACOM_BROKER_PASSWORD']
      : (await readFile(options.passwordFile, 'utf8')).split(/\r?\n/)[0];
  const ca = options.ca === undefined ? undefined : new Uint8Array(await readFile(options.ca));
  const address = { ...parsed, ...given({ username: options.username, password }) };
  if (address.password !== undefined && address.username === undefined) {
    throw new UsageError('there is a password and no name to it: add --username');
  }
  return ca === undefined ? { address } : { address, ca };
}
