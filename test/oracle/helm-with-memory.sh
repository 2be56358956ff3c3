#!/bin/bash
# Helm for the full rendering, which answers `template` from memory where it was asked the very same
# before: the same arguments, with the same content of every file and chart that they name. One question
# in sixteen is asked again all the same, and must get the same answer.
# HELM: the real one. MEMORY: a folder. OUTSIDE: what else a chart may come from, as text.
set -euo pipefail

output=
words=()
files=()
previous=
for word in "$@"; do
  path=${word#*=}
  if [ "$previous" = --output-dir ]; then
    output=$word
  elif [ -d "$word" ]; then
    words+=("$word")
    while IFS= read -r file; do words+=("$file") && files+=("$file"); done \
      < <(find "$word" -type f | LC_ALL=C sort)
  elif [ -f "$path" ]; then
    words+=("${word%"$path"}")
    files+=("$path")
  else
    words+=("$word")
  fi
  previous=$word
done
if [ -z "$output" ]; then exec "$HELM" "$@"; fi

digests=$([ ${#files[@]} -eq 0 ] || sha256sum -- "${files[@]}" | cut -c 1-64)
key=$(printf '%s\0' "$OUTSIDE" "$digests" "${words[@]}" | sha256sum | cut -c 1-64)
known=$MEMORY/$key
if [ -d "$known" ] && [[ $key != 0* ]]; then
  mkdir -p "$output"
  exec cp -r "$known/." "$output"
fi
"$HELM" "$@"
mkdir -p "$output"
if [ -d "$known" ]; then exec diff -r "$known" "$output"; fi
cp -r "$output" "$known.$$"
mv -T "$known.$$" "$known"
