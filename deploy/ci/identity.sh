#!/usr/bin/env bash
# Runs a command with an identity token of GitHub Actions, kept fresh while it runs. Where there is another credential,
# or none is to be had, it only runs the command.
#
# ANTHROPIC_FEDERATION_RULE_ID  and its companions say which rule takes the token
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# The command gets what this has been given, without the right to ask for tokens.
without=(env -u ACTIONS_ID_TOKEN_REQUEST_TOKEN -u ACTIONS_ID_TOKEN_REQUEST_URL -u CHARTER_RENEW_SECONDS)
given=${ANTHROPIC_ADMIN_KEY:-}${ANTHROPIC_API_KEY:-}${ANTHROPIC_AUTH_TOKEN:-}
given+=${ANTHROPIC_IDENTITY_TOKEN:-}${ANTHROPIC_IDENTITY_TOKEN_FILE:-}
if [[ -n $given || -z ${ANTHROPIC_FEDERATION_RULE_ID:-} || -z ${ACTIONS_ID_TOKEN_REQUEST_URL:-} ]]; then
    exec "${without[@]}" "$@"
fi
need ACTIONS_ID_TOKEN_REQUEST_TOKEN

umask 077
folder=$(mktemp -d)

# The bearer goes through a pipe: arguments can be read by everybody on the machine.
renew() {
    clean_for
    printf 'header = "Authorization: bearer %s"\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" |
        "${clean[@]}" curl --config - --proto '=https' --fail --silent --show-error --retry 3 --max-time 30 \
            --output "$folder/answer" --url "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=https://api.anthropic.com" 2>"$folder/said" &&
        sed -n 's/.*"value" *: *"\([A-Za-z0-9_.-]*\)".*/\1/p' "$folder/answer" >"$folder/new" &&
        [[ -s $folder/new ]] &&
        mv -- "$folder/new" "$folder/token"
}

# A token lives minutes and an apply may take hours; charter reads the file again at each exchange.
keep_fresh() {
    for _ in {1..200}; do
        sleep "${CHARTER_RENEW_SECONDS:-180}"
        # Nobody can tell this one of a parent that was killed.
        kill -0 "$$" 2>/dev/null || return 0
        renew || :
    done
}

fresh=
trap '[[ -z $fresh ]] || kill -TERM -- "-$fresh" 2>/dev/null || :; rm -rf -- "$folder"' EXIT
renew || fail 1 "no identity token was given: has the job the permission id-token: write?"
# A process group of its own ends with all that it has started, whatever it is at.
set -m
keep_fresh </dev/null >/dev/null 2>&1 &
fresh=$!
set +m
status=0
ANTHROPIC_IDENTITY_TOKEN_FILE=$folder/token attend "${without[@]}" "$@" || status=$?
exit "$status"
