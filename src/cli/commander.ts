/** The one file that imports the argument parser. */
export { Command, CommanderError, InvalidArgumentError } from 'commander';
