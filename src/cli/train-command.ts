/** Arguments and help of `acom train`. */
import type { Command } from './commander.js';
import { layerNumber, type Running, wholeNumber } from './options.js';
import { train } from './train.js';

export function addTrain(program: Command, running: Running): void {
  program
    .command('train')
    .argument('[recipe]', 'what to train, by name, or the file of a module that exports a recipe')
    .description('train a model from its data; without a recipe: which there are')
    .option('-d, --data <folder>', 'the data')
    .option('-o, --out <folder>', 'checkpoints, the log and the model go there')
    .option('-s, --seed <n>', 'same seed, same machine: same weights (default: 1)', layerNumber)
    .option(
      '-w, --workers <n>',
      'worker threads (default: as many as cores); they do not change the weights',
      layerNumber,
    )
    .option('-r, --resume', 'go on from the last checkpoint where there is one')
    .option('--steps <n>', "steps in place of the recipe's own number", wholeNumber)
    .option('--every <seconds>', 'seconds between lines where standard error is no terminal', wholeNumber)
    .addHelpText(
      'after',
      `
Ctrl-C ends the run after the step at hand, with a checkpoint; --resume goes on from there to the same weights as if nothing
had happened, after a crash too. OUT/log.jsonl has a line for each step.

Examples:
  acom train
  acom train commands --data data --out runs/commands
  acom train commands --data data --out runs/commands --resume`,
    )
    .action(running(train));
}
