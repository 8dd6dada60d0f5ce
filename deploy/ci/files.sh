#!/usr/bin/env bash
# Writes the files of this job's commit to a folder: a fleet is read from disk.
#
# CHARTER_HOME  where fetch.sh has been; the files go to files/ below it
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME
cd -- "$CHARTER_HOME/repository"
umask 077
files=$CHARTER_HOME/files
rm -rf -- "$files"
mkdir -p -- "$files" .git/info
# The bytes that Git keeps and a review reads: no attribute of the repository converts them.
printf '* !text !eol !crlf !ident !filter !working-tree-encoding\n' >.git/info/attributes
GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 GIT_NO_REPLACE_OBJECTS=1 LC_ALL=C \
    git -c core.hooksPath=/dev/null -c core.attributesFile=/dev/null -c core.autocrlf=false \
    --work-tree="$files" checkout --quiet --force HEAD -- . 2>/dev/null ||
    fail 1 "the files cannot be written: has fetch.sh been here, and is the disk full?"
