#!/bin/sh
# Makes the keyword samples with espeak-ng 1.51 and sox (Debian: apt-get install espeak-ng sox): clips of one second. The
# voices m7, f4, linda and belinda were kept out of the training of the keywords model. Run it in this folder; with the
# word "all" it makes every keyword by every one of these voices.
set -eu
say() { # file, voice, word, label
  espeak-ng -v "$2" -s 140 -w said.wav "$3"
  sox -q -V1 -R said.wav -r 16000 -b 16 -c 1 "$1.wav" norm -6 pad 0.2 1 trim 0 1
  rm said.wav
  printf '{"path": "%s.wav", "label": "%s", "word": "%s", "voice": "%s"}\n' "$1" "$4" "$3" "$2" >>manifest.jsonl
}
: >manifest.jsonl
if [ "${1:-}" = all ]; then
  for word in yes no up down left right on off stop go; do
    for voice in en-us+m7 en-gb+f4 en-gb+linda en-us+belinda; do
      say "$word-${voice#*+}" "$voice" "$word" "$word"
    done
  done
  exit 0
fi
say stop  en-us+m7    stop  stop
say left  en-gb+linda left  left
say yes   en-us+f4    yes   yes
say seven en-us+m7    seven _unknown_
