/** Arguments and help of `acom worker` and `acom device`. */
import { addBrokerOptions, BROKER_HELP } from './broker.js';
import type { Command } from './commander.js';
import { device } from './device.js';
import { duration, FILES, JSON_OPTION, MODEL, positive, type Running, wholeNumber } from './options.js';
import { worker } from './worker.js';

export function addBrokerCommands(program: Command, running: Running): void {
  addBrokerOptions(
    program
      .command('worker')
      .description(
        'answer utterances that devices send over an MQTT 5 broker (needs the package mqtt): the cloud half',
      )
      .option(...MODEL),
  )
    .option('--group <name>', 'workers of a group share the utterances (default: acom)')
    .option('--concurrency <n>', 'most utterances at hand and not acknowledged (default: 8)', wholeNumber)
    .option('--most-seconds <duration>', 'longest utterance that is decoded (default: 60s)', duration)
    .option('--grace <duration>', 'time to finish what is at hand when a signal ends it', duration, 20)
    .option('--details', 'answer with words and times, or all classes')
    .option('--verbose', 'a line in the log for each utterance')
    .addHelpText(
      'after',
      `
Start one for each core, on any number of machines; none keeps anything. SIGTERM finishes what is at hand.
${BROKER_HELP}

Examples:
  acom worker --broker mqtt://127.0.0.1
  acom worker --broker mqtts://broker.example:8883 --username worker --password-file /run/secrets/broker
  acom worker -m keywords-codec.safetensors --concurrency 16 --verbose`,
    )
    .action(running(worker));

  addBrokerOptions(
    program
      .command('device')
      .argument('<recordings...>', FILES)
      .description(
        'send recordings to workers over an MQTT 5 broker (needs the package mqtt) and print answers: the device half',
      )
      .option('-k, --codebooks <k>', 'codebooks to use; each adds bits and detail', wholeNumber)
      .option('-b, --bit-rate <bits>', 'bits a second to keep to', positive)
      .option(...MODEL),
  )
    .option(
      '--segment <duration>',
      'longest utterance: longer recordings are cut into such pieces',
      duration,
      10,
    )
    .option(
      '--deadline <duration>',
      'time after which an utterance is called unanswered (default: 30s)',
      duration,
    )
    .option('--no-topic-aliases', 'send the topic with each utterance')
    .option('--describe', 'send content type and response topic with each utterance')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `
Answers are printed in the order of what was said, each as soon as it is there. Bytes on the wire are those of MQTT packets:
utterance, answer and their acknowledgements. The exit code is 1 where an utterance was not answered.
${BROKER_HELP}

Examples:
  acom device in.wav --broker mqtt://127.0.0.1
  acom device recordings/ --broker mqtts://broker.example:8883 --username d7 --password-file d7.txt --id d7
  acom device memo.wav --segment 5s --json`,
    )
    .action(running(device));
}
