#!/bin/sh
# Makes the bundled samples with espeak-ng 1.51 and sox (Debian: apt-get install espeak-ng sox). The voices m7,
# f4, linda and belinda were kept out of the training of the commands model. Run it in this folder; with the word
# "all" it makes the six too that are not bundled: the model mishears a word in three of them.
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
say answers   en-gb+belinda 8000 "go no yes up three"
say counting  en-gb+m7    22050 "one two three four five"
say turns     en-us+f4    8000  "go left stop right on"
[ "${1:-}" = all ] || exit 0
say countdown en-gb+f4      16000 "nine eight seven six five"
say levels    en-us+belinda 8000  "up down off zero six"
say steering  en-us+belinda 8000  "down left up right stop"
say numbers   en-us+f4      8000  "four nine zero six two"
say switches  en-us+linda   8000  "on off yes no right"
say sides     en-gb+linda   8000  "left right one five eight"
