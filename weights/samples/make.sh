#!/bin/sh
# Makes the bundled samples with espeak-ng 1.51 and sox (Debian: apt-get install espeak-ng sox). The voices m7,
# f4 and linda were kept out of the training of the commands model. Run it in this folder.
set -eu
say() { # file, voice, sample rate, words
  espeak-ng -v "$2" -s 130 -g 8 -w said.wav "$(echo "$4" | sed 's/ /, /g')"
  sox -q -R said.wav -r "$3" -b 16 -c 1 "$1.wav" norm -6 pad 0.25 0.25
  rm said.wav
  printf '{"path": "%s.wav", "transcript": "%s", "voice": "%s"}\n' "$1" "$4" "$2" >>manifest.jsonl
}
: >manifest.jsonl
say digits    en-us+m7    8000  "seven three one nine five"
say mixed     en-gb+linda 16000 "yes two four no eight"
say moves     en-us+m7    8000  "stop go up left two zero"
say switches  en-us+linda 8000  "on off yes no right"
say counting  en-gb+m7    22050 "one two three four five"
say turns     en-us+f4    8000  "go left stop right on"
